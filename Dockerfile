# The application: gateway, turns, sender, jobs, console; the same image runs the actions.
FROM python:3.11-slim AS app
ENV PYTHONUNBUFFERED=1 UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy OMP_NUM_THREADS=1
RUN pip install --no-cache-dir "uv>=0.5" && useradd --create-home --uid 10001 nghedan
WORKDIR /srv/nghedan
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --frozen --no-dev --no-install-project
COPY bot bot
COPY actions actions
COPY core core
COPY console console
COPY storage storage
RUN uv sync --frozen --no-dev && mkdir -p /var/lib/nghedan && chown nghedan /var/lib/nghedan
ENV PATH=/srv/nghedan/.venv/bin:$PATH NGHEDAN_DATA_DIR=/var/lib/nghedan
USER nghedan
EXPOSE 8080
CMD ["python", "-m", "bot"]

# Rasa in its own Python 3.10, its model trained while the image is built.
FROM python:3.10-slim AS rasa
ENV PYTHONUNBUFFERED=1 UV_LINK_MODE=copy OMP_NUM_THREADS=1
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir "uv>=0.5" && useradd --create-home --uid 10001 nghedan
WORKDIR /srv/nghedan
COPY nlu nlu
RUN cd nlu && uv sync --frozen --no-dev && .venv/bin/python train.py && chown -R nghedan .
USER nghedan
EXPOSE 5005
CMD ["nlu/.venv/bin/python", "nlu/serve.py", "--host", "0.0.0.0", "--port", "5005"]
