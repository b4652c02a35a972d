"""`python -m bot.bench.bare_actions PORT`: an action server that does nothing, for measuring Rasa by itself."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.post("/webhook")
async def webhook() -> dict[str, list[dict[str, str]]]:
    """No events; one text, so that the channel has something to answer."""
    return {"events": [], "responses": [{"text": "ok"}]}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
