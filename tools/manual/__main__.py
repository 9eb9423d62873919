"""`python -m tools.manual`: write `share/`; what no command is behind goes."""

from tools.manual import CHECKOUT, SHARE
from tools.manual.completion import completions
from tools.manual.page import pages
from tools.manual.schema import schemas


def files() -> dict[str, str]:
    """Return the texts of all files by their paths below `share/`."""
    return pages() | completions() | schemas()


def main() -> None:
    """Write them."""
    wanted = {SHARE / path: text for path, text in files().items()}
    for path in SHARE.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    print(f"make manual: wrote {len(wanted)} files below {SHARE.relative_to(CHECKOUT)}/")


if __name__ == "__main__":
    main()
