"""What is said of an image that is shared, as JSON: to the letter what is signed."""

import json

from raptorctl.model.codec import encode
from raptorctl.model.image_index import ImageIndex
from raptorctl.model.image_version import Statement


def statement_text(statement: Statement) -> str:
    """Return a statement's text; the same for the same statement."""
    return json.dumps(encode(statement), indent=2) + "\n"


def index_text(index: ImageIndex) -> str:
    """Return the text of a folder's index."""
    return json.dumps(encode(index), indent=2) + "\n"
