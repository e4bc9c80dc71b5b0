"""Chapter 5: with numbers, the receiver knows what it lacks."""


def lost(arrived, sent):
    return [number for number in range(sent) if number not in arrived]


print(lost({0, 1, 3}, sent=5))
