#!/bin/sh
# Makes what packages carry beside the program, in packaging/generated: manual pages and completion, of the program itself. They
# are the same again for the same commit.
set -eu
cd "$(dirname "$0")/.."
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
out=packaging/generated
rm -rf "$out"
mkdir -p "$out/completion"
program() { go run ./cmd/pop2imap "$@"; }
program man "$out/man"
gzip -9n "$out"/man/man*/*
program completion bash >"$out/completion/pop2imap"
program completion zsh >"$out/completion/_pop2imap"
program completion fish >"$out/completion/pop2imap.fish"
