"""Strict stand-ins for Telegram, Zalo OA and Zalo Bot over HTTP: refusing as they refuse, recording all."""
