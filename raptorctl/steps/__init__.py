"""Steps: reversible acts as frozen data. Each says what, on what and why."""


def load_all() -> None:
    """Load every kind: a journal has steps by their kind, known once its module is loaded."""
    from importlib import import_module
    from pkgutil import iter_modules

    for module in iter_modules(__path__, f"{__name__}."):
        import_module(module.name)
