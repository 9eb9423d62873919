"""Doctor on images that are not whole."""

from dataclasses import replace

from raptorctl.host.survey.survey import survey
from raptorctl.model.facts import HostFacts
from raptorctl.model.image import Damaged
from raptorctl.model.names import MachineName
from raptorctl.model.probe import Probe, SessionProbe, Verdict
from raptorctl.model.sizes import MIB
from raptorctl.plans.doctor.examine import examine
from raptorctl.plans.doctor.session import examine_session
from tests.fakes import IMAGE, World, settings

CUT = Damaged("mine", "/srv/web.img", IMAGE.digest, "its file is cut off")


def test_each_is_told_with_what_makes_it_whole() -> None:
    facts = HostFacts(damaged=(CUT, Damaged("lost", "", "", "its file is gone")))
    shared = examine(Probe("/etc/raptorctl/settings.toml", settings=settings(), facts=facts))
    own = examine_session(SessionProbe(settings(), facts))
    for found in (shared, own):
        told = [(f.verdict, f.what, f.advice) for f in found if f.check == "images"]
        assert told == [
            (
                Verdict.WARN,
                "image mine is damaged: its file is cut off",
                "raptorctl image pull /srv/web.img --name mine",
            ),
            (
                Verdict.WARN,
                "image lost is damaged: its file is gone",
                "`raptorctl image remove lost`, and pull it again",
            ),
        ]


def test_a_file_of_many_names_is_told_once() -> None:
    names = tuple(replace(CUT, name=f"mine@{number}") for number in range(26))
    lost = tuple(Damaged(name, "", "", "it cannot be read") for name in ("a", "b"))
    found = examine_session(SessionProbe(settings(), HostFacts(damaged=(*lost, *names))))
    assert [f.what for f in found if f.check == "images"] == [
        "image a is damaged: it cannot be read",
        "image b is damaged: it cannot be read",
        "image mine@0 (its file has 26 names) is damaged: its file is cut off",
    ]


def test_a_machine_whose_disk_lies_over_one_is_told() -> None:
    name = MachineName("alice", "dev")
    tags = ["raptor", "raptor.tenant=alice", f"raptor.image={IMAGE.digest}"]
    volume = World().volumes.create(name.volume, MIB, tags)
    facts = HostFacts(volumes=(volume,), damaged=(CUT,))

    def failed(facts: HostFacts) -> list[tuple[str, str]]:
        found = examine_session(SessionProbe(settings(), facts))
        return [(f.what, f.advice) for f in found if "below the disk" in f.what]

    what = "the image below the disk of alice-dev is damaged or gone"
    assert failed(facts) == [(what, CUT.advice)]
    assert failed(replace(facts, damaged=())) == [(what, "raptorctl rebuild alice-dev")]
    assert failed(replace(facts, images=(IMAGE,))) == []


def test_the_survey_asks_which_are_not_whole() -> None:
    world = World()
    world.images.all = (replace(IMAGE, name="mine"),)
    world.images.spoilt = {"mine": "its file is gone", "lost": "it cannot be read"}
    assert survey(world.host(), settings()).damaged == (
        Damaged("lost", "", "", "it cannot be read"),
        Damaged("mine", IMAGE.source, IMAGE.digest, "its file is gone"),
    )
