"""What a file begins with: taken as cloud-init takes it, or refused in words that are so."""

import pytest

from raptorctl.errors import InputError
from raptorctl.render.user_data import check

PASSED_OVER = "cloud-init would ignore the whole file"
TAKEN = [
    "#cloud-config\na: 1\n",
    "#cloud-config # vim: ft=yaml\na: 1\n",
    "#Cloud-Config\na: 1\n",
    "#cloud-config\r\na: 1\r\n",
    "\n \n#cloud-config\na: 1\n",
    "  #cloud-config\na: 1\n",
    "#cloud-config-of-mine\na: 1\n",
    "#cloud-config",
]
TABS = [
    "write_files:\n  - path: /m\n    content: |\n      all:\n      \techo\n",
    "# a\tcomment\na: 'b\tc'\n",
]
NO_TABS = ["packages:\t[git]\n", "a: b\t# why\n", "a: b\tc\n", "a:\n\t- b\n"]
NOT_OURS = [
    ("## template: jinja\n#cloud-config\n", "a jinja template"),
    ("## Template: Jinja\n#cloud-config\n", "a jinja template"),
    ("#include\nhttps://example.org/x\n", "an include"),
    ("#include-once\nhttps://example.org/x\n", "an include"),
    ("#cloud-config-archive\n[]\n", "an archive"),
    ("#cloud-config-jsonp\n[]\n", "a JSON patch"),
    ("#cloud-boothook\n#!/bin/sh\n", "a boothook"),
    ("\n#part-handler\n", "a part handler"),
    ('Content-Type: multipart/mixed; boundary="x"\nMIME-Version: 1.0\n\n--x\n', "a MIME message"),
    ("mime-version: 1.0\nContent-Type: text/cloud-config\n\n#cloud-config\n", "a MIME message"),
]
IGNORED = [
    "packages: [vim]\n",
    "# cloud-config\na: 1\n",
    "---\n#cloud-config\n",
    "##template: jinja\n#cloud-config\n",
    'Content-Type: multipart/mixed; boundary="x"\n\n--x\n',
    "\u200b#cloud-config\na: 1\n",
    "",
]


@pytest.mark.parametrize("text", TAKEN)
def test_each_beginning_that_cloud_init_takes_for_a_cloud_config_is_taken(text: str) -> None:
    assert check(text).config in ({"a": "1"}, {}) or "a" in (check(text).config or {})


@pytest.mark.parametrize("text", TABS)
def test_tabs_are_taken_wherever_yaml_takes_them(text: str) -> None:
    assert check("#cloud-config\n" + text).config


@pytest.mark.parametrize("text", NO_TABS)
def test_a_tab_that_cloud_inits_reader_stops_at_is_told_by_its_line(text: str) -> None:
    with pytest.raises(InputError, match=r"line [23] has a tab where cloud-init's YAML reader"):
        check("#cloud-config\n" + text)


@pytest.mark.parametrize(("text", "kind"), NOT_OURS)
def test_what_cloud_init_takes_and_we_do_not_is_called_what_it_is(text: str, kind: str) -> None:
    with pytest.raises(InputError) as caught:
        check(text)
    assert kind in str(caught.value)
    assert "which is not taken" in str(caught.value)
    assert PASSED_OVER not in str(caught.value)


@pytest.mark.parametrize("text", IGNORED)
def test_only_what_cloud_init_passes_over_is_said_to_be_passed_over(text: str) -> None:
    with pytest.raises(InputError, match=PASSED_OVER):
        check(text)


@pytest.mark.parametrize("text", ["#cloud-config\r\na: 1\r\n", "#!/bin/sh\n"])
def test_a_byte_order_mark_is_named(text: str) -> None:
    with pytest.raises(InputError, match=r"byte order mark.*without BOM"):
        check(f"\ufeff{text}")


def test_a_script_behind_blanks_is_refused_for_what_the_kernel_does() -> None:
    with pytest.raises(InputError, match="line 2 has #! behind blanks"):
        check("\n#!/bin/sh\n")
    assert check("#!/bin/sh\r\nls\t-l\r\n").config is None
