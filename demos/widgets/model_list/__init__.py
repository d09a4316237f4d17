"""The host's list of bigger models: what each one needs, and why it cannot be used here."""

import html
from collections.abc import Mapping, Sequence

import gradio as gr

from demos.widgets.card import read
from gen_core.hub.listed import Listed


def ModelList(table: str, elem_id: str) -> gr.HTML:
    """A gr.HTML that shows what `model_table` returns."""
    return gr.HTML(
        table,
        css_template=read("card/card.css", "model_list/model_list.css"),
        apply_default_css=False,
        elem_id=elem_id,
    )


def model_table(
    models: Sequence[Listed],
    reasons: Mapping[str, Sequence[str]],
    elsewhere: Mapping[str, str] | None = None,
) -> str:
    """The list as HTML.

    reasons: by name, why a model does not run here, each in words; elsewhere: by name, what is said
    of those that do not run on this machine at all.
    """
    head = "".join(
        f'<th scope="col">{title}</th>'
        for title in ("Model", "Size", "Licence", "Access token", "On this machine")
    )
    rows = "".join(
        _row(model, reasons[model.name], (elsewhere or {}).get(model.name, "")) for model in models
    )
    return (
        f'<section class="card model-list"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )


def _row(model: Listed, reasons: Sequence[str], elsewhere: str) -> str:
    page = html.escape(model.licence_page)
    why = [
        f"{reason[0].upper()}{reason[1:]}" if k else f"No: {reason}"
        for k, reason in enumerate(reasons)
    ]
    here = "".join(f"<li>{html.escape(reason)}</li>" for reason in why)
    size = model.gigabytes
    cells = {
        "Size": f"{size:.1f} GB" if size >= 1 else f"{1000 * size:.0f} MB",
        "Licence": f'<a href="{page}" target="_blank" rel="noopener">'
        f"{html.escape(model.licence)}</a>",
        "Access token": "needed" if model.token else "not needed",
        "On this machine": f"<ul>{here}</ul>" if here else "Runs here",
    }
    if elsewhere:
        cells |= {"Size": "", "Access token": ""}
        cells["On this machine"] = f"<ul>{here}</ul>" if here else html.escape(elsewhere)
    row = "".join(f'<td data-title="{title}">{cell}</td>' for title, cell in cells.items())
    return f'<tr><th scope="row">{html.escape(model.name)}</th>{row}</tr>'
