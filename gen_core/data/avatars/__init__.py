"""Portraits of people who do not exist, drawn by a program, so that all about them is known."""

from gen_core.data.avatars.portraits import avatars, portrait
from gen_core.data.avatars.schema import Avatar, random_avatar

__all__ = ["Avatar", "avatars", "portrait", "random_avatar"]
