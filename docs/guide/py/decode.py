"""Chapter 3: text that may be UTF-8 or GBK."""


def decode(recv_data):
    try:
        return recv_data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return recv_data.decode("gbk", errors="replace"), "gbk"


assert decode("你好！".encode("utf-8")) == ("你好！", "utf-8")
assert decode("你好！".encode("gbk")) == ("你好！", "gbk")
assert decode(b"\xff\xff") == ("\ufffd\ufffd", "gbk")
print("UTF-8 and GBK were told apart")
