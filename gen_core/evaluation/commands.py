"""Commands that measure: the cards, what a perfect model would reach, and how long things take."""

import argparse

from gen_core.evaluation.answer import Answer, dated
from gen_core.evaluation.cards import card_sections, markdown_card, markdown_cards, renewed
from gen_core.evaluation.reference import measured_floors
from gen_core.family import Family
from gen_core.files import check_writable, in_one_move
from gen_core.knobs import KnobError
from gen_core.training import checkpoint


def cards(args: argparse.Namespace) -> Answer:
    """The model cards, on the screen or into a page."""
    if args.name and args.into:
        raise KnobError(f"into={args.into!r}: a page has all cards, leave the name out")
    names = [args.name] if args.name else checkpoint.available()
    result = [{"name": name, **card_sections(name)} for name in names]
    if args.into:
        page = check_writable("into", args.into)
        text = renewed(page.read_text(encoding="utf-8"))
        with in_one_move(page) as partial:
            partial.write_text(text, encoding="utf-8")
        return result, f"{len(names)} cards in {page}"
    return result, markdown_card(args.name) if args.name else markdown_cards()


def floors(args: argparse.Namespace) -> Answer:
    """The distance of real training pictures."""
    model = checkpoint.load(args.name, args.device)
    if isinstance(model, Family):
        raise KnobError(f"name={args.name!r}: choose a classifier, such as judge-fashion")
    figures = measured_floors(model, args.data, args.progress)
    return dated("floors", figures, model.device, args)


def bench(args: argparse.Namespace) -> Answer:
    """How long the samplers take, or the games of the lab."""
    if "lab" in args.families:
        return _bench_lab(args)
    from gen_core.evaluation.bench import as_text
    from gen_core.evaluation.bench import bench as measured

    result = measured(
        *args.families,
        device=args.device,
        count=args.count,
        steps=args.steps,
        rounds=args.rounds,
        progress=args.progress,
    )
    return result, as_text(result)


def _bench_lab(args: argparse.Namespace) -> Answer:
    """Steps a second of the adversarial lab."""
    from gen_core.evaluation.bench_lab import as_text, costs

    if len(args.families) > 1:
        raise KnobError("lab is timed by itself: leave out the families")
    result = costs(rounds=args.rounds, progress=args.progress)
    return result, as_text(result)
