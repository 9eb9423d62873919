"""Mail in memory."""


class FakeMail:
    """Mail: `sent` is no part of what a host must be like as before."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.there = True

    def works(self) -> bool:
        return self.there

    def send(self, message: str) -> None:
        self.sent.append(message)
