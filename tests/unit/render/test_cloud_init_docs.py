"""What cloud-init's own documentation shows, as it is: taken whole, or refused by name."""

from email import message_from_string
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from raptorctl.errors import InputError
from raptorctl.model.seed import FirstBoot, Seed, Taken
from raptorctl.model.spec import UNSAID, MachineSpec
from raptorctl.render.cloud_config import render_seed
from raptorctl.render.network_file import check_network
from raptorctl.render.user_data import check
from tests.unit.render.test_cloud_config import GUEST

SAMPLES: Final = Path(__file__).parents[2] / "samples" / "cloud-init"
NO_EXAMPLES: Final = {"README.md", "LICENSE-Apache2.0"}
EXAMPLES: Final = {
    str(path.relative_to(SAMPLES)): path.read_text()
    for path in sorted(SAMPLES.rglob("*"))
    if path.is_file() and path.name not in NO_EXAMPLES
}
NETWORKS: Final = {name: text for name, text in EXAMPLES.items() if "network-config" in name}
USER_DATA: Final = {name: text for name, text in EXAMPLES.items() if name not in NETWORKS}

MADE_LATER: Final = "content that is made later cannot be checked"
NOT_MERGED: Final = "cannot be merged with ours"
KEY: Final = "begins a private key"
JINJA: Final = "a jinja template, which is not taken without --allow-jinja"

REFUSED: Final = {
    # Whoever wrote these repeated a key: cloud-init takes the last alone.
    "examples/cloud-config-add-apt-repos.txt": "line 42 has 'apt' a second time",
    "examples/cloud-config-disk-setup.txt": "line 25 has 'disk_setup' a second time",
    "examples/network-config-v1-bridge.yaml": "line 29 has 'bridge_maxwait' a second time",
    "examples/boothook.txt": "a boothook, which is not taken",
    "extracted/boothook.txt": "a boothook, which is not taken",
    "examples/cloud-config-archive.txt": NOT_MERGED,
    "examples/cloud-config-archive-launch-index.txt": NOT_MERGED,
    "extracted/cloud-config-archive.txt": NOT_MERGED,
    "extracted/mime.txt": "its parts cannot be merged with ours",
    "examples/include.txt": MADE_LATER,
    "examples/include-once.txt": MADE_LATER,
    "extracted/include.txt": MADE_LATER,
    "examples/part-handler.txt": MADE_LATER,
    "examples/part-handler-v2.txt": MADE_LATER,
    "examples/plain-ignored.txt": "line 1 is '#ignored' and not #cloud-config",
    "examples/seed/meta-data": "line 1 is '# this is yaml formatted data' and not #cloud-config",
    "examples/cloud-config.txt": KEY,
    "examples/cloud-config-ansible-managed.txt": KEY,
    "examples/cloud-config-chef.txt": KEY,
    "examples/cloud-config-chef-oneiric.txt": KEY,
    "examples/cloud-config-ssh-keys.txt": KEY,
    "module-docs/cc_salt_minion/example1.yaml": KEY,
    "module-docs/cc_ssh/example1.yaml": KEY,
    "module-docs/cc_phone_home/example1.yaml": JINJA,
    "module-docs/cc_phone_home/example2.yaml": JINJA,
    "extracted/jinja-cloud-config.txt": JINJA,
    "extracted/jinja-script.txt": JINJA,
    "extracted/instancedata-cloud-config.txt": JINJA,
    "extracted/instancedata-script.txt": JINJA,
}
ALLOWED: Final = [name for name, why in REFUSED.items() if why in {KEY, JINJA}]
ALSO_OURS: Final = {
    "examples/cloud-config.txt": "ssh_keys is raptorctl's to say",
    "examples/cloud-config-ssh-keys.txt": "ssh_keys is raptorctl's to say",
    "module-docs/cc_ssh/example1.yaml": "ssh_keys is raptorctl's to say",
}
"""With leave to hold a private key, these still bring a host key."""


LOCALE: Final = "module-docs/cc_locale/example3.yaml"
"""Its `false` is handed on as text, with a note, which is the same to cloud-init (is_false)."""


def taken(texts: dict[str, str]) -> list[str]:
    return [name for name in texts if name not in REFUSED]


def seed_of(spec: MachineSpec = UNSAID) -> Seed:
    return render_seed(FirstBoot(), GUEST, spec)


def read(name: str, text: str) -> Any:
    return yaml.load(text, yaml.BaseLoader if name == LOCALE else yaml.SafeLoader)  # noqa: S506


@pytest.mark.parametrize("name", taken(USER_DATA))
def test_it_is_vendor_data_as_it_is_and_says_the_same(name: str) -> None:
    text = USER_DATA[name]
    check(text)
    handed_on = seed_of(MachineSpec(vendor_data=text)).vendor_data
    if text.startswith("#!"):
        assert handed_on == text
    else:
        assert read(name, handed_on) == read(name, text)


@pytest.mark.parametrize("name", taken(USER_DATA))
def test_it_is_user_data_with_all_that_it_says(name: str) -> None:
    text = USER_DATA[name]
    handed_on = seed_of(MachineSpec(user_data=text)).user_data
    if text.startswith("#!"):
        *_, script = message_from_string(handed_on).walk()
        assert script.get_payload(decode=True) == text.encode()
        return
    ours, said = read(name, seed_of().user_data), read(name, handed_on)
    for key, value in (read(name, text) or {}).items():
        assert key in said
        if key not in ours:
            assert said[key] == value


@pytest.mark.parametrize("name", taken(NETWORKS))
def test_it_is_a_network_config_as_it_is_and_says_the_same(name: str) -> None:
    text = NETWORKS[name]
    check_network(text)
    whole = yaml.safe_load(text)
    said = yaml.safe_load(seed_of(MachineSpec(network_config=text)).network_config)
    assert said == whole.get("network", whole)


@pytest.mark.parametrize(("name", "why"), REFUSED.items())
def test_what_is_refused_is_refused_with_its_reason(name: str, why: str) -> None:
    with pytest.raises(InputError) as caught:
        (check_network if name in NETWORKS else check)(EXAMPLES[name])
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ALLOWED)
def test_a_private_key_or_a_template_is_taken_where_it_is_allowed(name: str) -> None:
    leave = Taken(private_key=True, jinja=True)
    if why := ALSO_OURS.get(name):
        with pytest.raises(InputError, match=why):
            check(EXAMPLES[name], leave)
        return
    check(EXAMPLES[name], leave)
    assert seed_of(MachineSpec(user_data=EXAMPLES[name])).user_data
