# ferdata on the CPU, for a user who is not root. Data are mounted on /data, the working folder:
#
#   docker build -t ferdata .
#   docker run --rm -v "$PWD:/data" ferdata build rafdb --demo --augment balance --out out/rafdb
#
# `--build-arg EXTRAS=model` leaves torch out. Files belong to user 1000; where that is not you, add
# `--user "$(id -u):$(id -g)"` to `docker run`.

FROM python:3.12-slim AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY manifests manifests
COPY ferdata ferdata
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
# OpenCV needs GL and glib, MediaPipe EGL and GLES, also without a GPU.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libegl1 libgles2 libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

ARG EXTRAS=model,train
COPY constraints.txt /tmp/
# uv takes torch from PyTorch's own index, without CUDA's libraries.
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir uv==0.13.9 \
    && uv pip install --system --no-cache --torch-backend cpu --constraint /tmp/constraints.txt \
        "ferdata[${EXTRAS}] @ file://$(ls /wheels/ferdata-*.whl)" \
    && pip uninstall --yes uv

RUN useradd --create-home --uid 1000 ferdata \
    && install -d -m 1777 /cache && install -d -o ferdata -g ferdata /data
ENV FERDATA_CACHE_DIR=/cache \
    HF_HOME=/cache/huggingface \
    MPLCONFIGDIR=/cache/matplotlib \
    PYTHONDONTWRITEBYTECODE=1
USER 1000
WORKDIR /data
ENTRYPOINT ["ferdata"]
CMD ["--help"]
