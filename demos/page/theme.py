"""The page's look: warm paper, ink and one accent, in the fonts the visitor's system has."""

import gradio as gr

SANS = ("Inter", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Noto Sans Mono", "monospace")

ACCENT = gr.themes.Color(
    "#eef1ff",
    "#e0e5ff",
    "#c7cffe",
    "#a5b0fc",
    "#8189f8",
    "#6366f1",
    "#4f46e5",
    "#4338ca",
    "#3730a3",
    "#312e81",
    "#1e1b4b",
)
INK = gr.themes.Color(
    "#faf9f7",
    "#f2f0ec",
    "#e5e2dc",
    "#d2cec6",
    "#a19c94",
    "#736e67",
    "#57534d",
    "#3c3934",
    "#272521",
    "#1b1a17",
    "#121110",
)

LIGHT_AND_DARK = {
    "body_background_fill": ("#faf9f6", "#131316"),
    "body_text_color": ("#1d1c1a", "#ecebe8"),
    "body_text_color_subdued": ("#66625b", "#a3a1a6"),
    "background_fill_primary": ("#ffffff", "#1b1b1f"),
    "background_fill_secondary": ("#f4f2ee", "#232328"),
    "border_color_primary": ("#e4e0d9", "#323238"),
    "border_color_accent": ("#4f46e5", "#8189f8"),
    "color_accent_soft": ("#eef0ff", "#26264a"),
    "link_text_color": ("#4338ca", "#a5b0fc"),
    "block_background_fill": ("#ffffff", "#1b1b1f"),
    "block_border_color": ("#e4e0d9", "#323238"),
    "block_label_background_fill": ("#ffffff", "#1b1b1f"),
    "block_label_text_color": ("#66625b", "#a3a1a6"),
    "block_title_text_color": ("#1d1c1a", "#ecebe8"),
    "block_info_text_color": ("#66625b", "#a3a1a6"),
    "input_background_fill": ("#f7f5f1", "#232328"),
    "input_border_color": ("#dcd8d0", "#3a3a41"),
    "input_border_color_focus": ("#4f46e5", "#8f97fb"),
    "slider_color": ("#4f46e5", "#8f97fb"),
    "checkbox_background_color": ("#ffffff", "#232328"),
    "checkbox_background_color_selected": ("#4f46e5", "#6366f1"),
    "checkbox_border_color": ("#c4bfb5", "#54545c"),
    "checkbox_border_color_selected": ("#4f46e5", "#6366f1"),
    "checkbox_label_background_fill": ("#f7f5f1", "#232328"),
    "checkbox_label_background_fill_selected": ("#eef0ff", "#26264a"),
    "button_primary_background_fill": ("#4f46e5", "#5b5cf0"),
    "button_primary_background_fill_hover": ("#4338ca", "#6d70f6"),
    "button_primary_text_color": ("#ffffff", "#ffffff"),
    "button_secondary_background_fill": ("#ffffff", "#232328"),
    "button_secondary_background_fill_hover": ("#f4f2ee", "#2c2c32"),
    "button_secondary_border_color": ("#dcd8d0", "#3a3a41"),
    "button_secondary_text_color": ("#1d1c1a", "#ecebe8"),
    "button_cancel_background_fill": ("#ffffff", "#232328"),
    "button_cancel_background_fill_hover": ("#fdf0ee", "#3a2222"),
    "button_cancel_border_color": ("#dcd8d0", "#3a3a41"),
    "button_cancel_text_color": ("#66625b", "#a3a1a6"),
    "button_cancel_text_color_hover": ("#a4271a", "#f4a59b"),
    "code_background_fill": ("#f4f2ee", "#232328"),
}


def theme() -> gr.themes.Base:
    """Gradio's plain theme in our colours; no font and no file from another host."""
    plain = gr.themes.Base(
        primary_hue=ACCENT,
        secondary_hue=ACCENT,
        neutral_hue=INK,
        font=SANS,
        font_mono=MONO,
        radius_size=gr.themes.Size("4px", "6px", "8px", "10px", "12px", "14px", "18px"),
    )
    both = {
        f"{name}{mode}": value
        for name, pair in LIGHT_AND_DARK.items()
        for mode, value in zip(("", "_dark"), pair, strict=True)
    }
    return plain.set(
        **both,
        checkbox_border_radius="4px",
        color_accent="#4f46e5",
        checkbox_label_padding="7px 9px",
        checkbox_label_gap="6px",
        block_radius="14px",
        container_radius="14px",
        block_shadow="none",
        block_title_text_weight="600",
        block_title_text_size="14px",
        block_label_text_size="12px",
        block_info_text_size="12px",
        layout_gap="16px",
        button_border_width="1px",
        button_primary_border_color="transparent",
        button_primary_border_color_dark="transparent",
        input_radius="8px",
        button_large_text_size="15px",
        button_large_text_weight="600",
        button_large_radius="10px",
        button_large_padding="11px 18px",
        button_small_radius="8px",
        button_small_text_weight="500",
        button_small_padding="6px 12px",
        button_small_text_size="13px",
        button_primary_shadow="0 1px 2px rgb(40 30 120 / .25)",
    )
