# syntax=docker/dockerfile:1
# For those who publish the images to a registry. The demo and the tests make theirs without a container engine
# (e2e/images.sh); both ways put the same static program on nothing, run by 65532.
#
#   for name in operator disk-pod web-pod; do
#     docker build --target $name --tag registry.example.org/internet-disk/$name:0.1.0 --push .
#   done

FROM node:22-bookworm-slim AS page
WORKDIR /source/web-pod/ui
COPY web-pod/ui/package.json web-pod/ui/package-lock.json ./
RUN npm ci --silent
COPY web-pod/ui ./
RUN npm run --silent build

# The version is that of rust-toolchain.toml.
FROM rust:1.95.0-bookworm AS programs
WORKDIR /source
COPY . .
COPY --from=page /source/web-pod/ui/dist web-pod/ui/dist
# .cargo/config.toml makes them static and names the target.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --locked --release \
      -p internet-disk-operator -p internet-disk-disk-pod -p internet-disk-web-pod && \
    mkdir /programs && \
    for name in operator disk-pod web-pod; do \
      install --strip "target/x86_64-unknown-linux-gnu/release/$name" "/programs/$name" || exit 1; \
    done

FROM scratch AS operator
COPY --from=programs /programs/operator /operator
USER 65532:65532
ENTRYPOINT ["/operator"]

FROM scratch AS disk-pod
COPY --from=programs /programs/disk-pod /disk-pod
USER 65532:65532
ENTRYPOINT ["/disk-pod"]

FROM scratch AS web-pod
COPY --from=programs /programs/web-pod /web-pod
USER 65532:65532
ENTRYPOINT ["/web-pod"]
