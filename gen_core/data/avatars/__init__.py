"""Portraits of people who do not exist, drawn by rule, so that everything about them is known."""

from gen_core.data.avatars.portraits import avatars, portrait
from gen_core.data.avatars.schema import Avatar, random_avatar

__all__ = ["Avatar", "avatars", "portrait", "random_avatar"]
