# docker build -t noise-to-data .                            for the processor
# docker build --build-arg TORCH=cu130 -t noise-to-data .    for NVIDIA's GPUs
# docker run --rm -p 7860:7860 noise-to-data                 (--gpus all for these)
FROM python:3.12-slim

# A folder of https://download.pytorch.org/whl: which torch, and torchvision of the same build.
ARG TORCH=cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1

# Before the app's own files, so that a change of these installs nothing again.
COPY requirements.txt /tmp/
RUN grep '^torch' /tmp/requirements.txt > /tmp/torch.txt \
    && pip install --index-url https://download.pytorch.org/whl/${TORCH} -r /tmp/torch.txt \
    && pip install -r /tmp/requirements.txt

WORKDIR /app
COPY requirements.txt app.py ./
COPY demos ./demos
COPY gen_core ./gen_core
COPY weights ./weights

# Nothing is written outside of /tmp: with `--tmpfs /tmp` the rest may be read-only. There go what
# visitors download, as Hugging Face's library has it too, whoever the user is.
RUN useradd --uid 1000 --create-home visitor
USER 1000
ENV XDG_CACHE_HOME=/tmp/cache

EXPOSE 7860
HEALTHCHECK --start-period=120s --interval=30s --timeout=10s \
    CMD ["python", "-c", "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:7860/healthz', timeout=8)"]
CMD ["python", "app.py", "--host", "0.0.0.0", "--port", "7860"]
