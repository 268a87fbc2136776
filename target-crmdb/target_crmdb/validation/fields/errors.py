"""What is wrong with a field's value."""


class FieldError(ValueError):
    """A value has no normal form of its field's type; `rule` is a short class, the message has no value in it."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason
