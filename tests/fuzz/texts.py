"""What people, and those who mean harm, may type: anything, and what is almost right."""

from typing import Final

from hypothesis import strategies as st

from raptorctl.model.names import RESERVED_TENANTS

EVIL: Final = (
    "", " ", "-", "--", "-h", "--help", ".", "..", "/", "../../etc/passwd", "\0", "\n", "\r\n", "\t",
    "\x1b[2J", "\u202e", "\ufeff", "\udce4", "\U0001f996", "$(reboot)", "`reboot`", "; reboot", "| sh",
    "&& true", "'", '"', "\\", "%s%n", "{}", "*", "?", "<x/>", "]]>", "<!ENTITY x SYSTEM 'file:///'>",
    "&amp;", "xn--80ak6aa92e", "٤", "１", "nan", "inf", "1e9", "0x10", "-0", "9" * 40, "9" * 5000, "a" * 300,
    "true", "null", "None", "@", "#", "=", ",", ":", "~root", "NUL", "con",
)  # fmt: skip

# What the kernel can hand over as an argument: any bytes but NUL, undecodable ones as surrogates.
anything = st.one_of(
    st.sampled_from(EVIL),
    st.text(max_size=40),
    st.text(alphabet=st.characters(max_codepoint=127), max_size=40),
    st.binary(max_size=20).map(lambda raw: raw.decode(errors="surrogateescape")),
)


@st.composite
def bent(draw: st.DrawFn, good: st.SearchStrategy[str]) -> str:
    """Something right with one thing wrong: a piece put in, taken out, or put twice."""
    text = draw(good)
    place = draw(st.integers(0, len(text)))
    piece = draw(st.one_of(st.sampled_from(EVIL), st.characters(), st.sampled_from("aZ0-9.,^KMGT")))
    kind = draw(st.sampled_from(["insert", "replace", "drop", "twice"]))
    if kind == "insert":
        return text[:place] + piece + text[place:]
    if kind == "replace":
        return text[:place] + piece + text[place + 1 :]
    return text[:place] + text[place + 1 :] if kind == "drop" else text + text


def nearly(good: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Right, almost right, or anything."""
    return st.one_of(good, bent(good), anything)


tenants = st.one_of(
    st.from_regex(r"[a-z][a-z0-9]{0,16}", fullmatch=True), st.sampled_from(sorted(RESERVED_TENANTS))
)
machines = st.one_of(
    st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3}){0,3}", fullmatch=True),
    st.sampled_from(["del-x", "wipe-x", "a" * 40, "a" * 41]),
)
sizes = st.from_regex(r"[0-9]{1,4}[KMGT]", fullmatch=True)
cpu_sets = st.one_of(
    st.lists(st.integers(0, 9), min_size=1, max_size=4).map(lambda n: ",".join(map(str, n))),
    st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda pair: f"{pair[0]}-{pair[1]}"),
    st.sampled_from(["2-7,^3", "4-7,^4-7", "^4"]),
)
slots = st.one_of(st.just("auto"), st.integers(-1, 300).map(str))
templates = st.sampled_from(["virtio-console", "serial-console", "none"])
