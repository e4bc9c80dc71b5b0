"""Chapter 10: a decorator of objects, as the textbook has it."""


class Page:
    def handle(self, request):
        return {"status": 200, "body": "about\n"}


class Sign:
    def __init__(self, inner):
        self.inner = inner

    def handle(self, request):
        response = self.inner.handle(request)
        response["x-served-by"] = "me"
        return response


handler = Sign(Page())
print(handler.handle("GET /about"))
