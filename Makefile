GO ?= go
# The race detector needs a C compiler. In CI it is not optional.
RACE := $(if $(CI)$(shell command -v gcc),-race)

.PHONY: test bench

# Everything: installs the mail servers that it talks to when they are missing and it may, and says at the end which it
# could not get.
test:
	@skipped=$$(sh internal/lab/real/install.sh); \
	$(GO) test $(RACE) -shuffle=on -timeout 30m ./...; status=$$?; \
	[ -z "$$skipped" ] || echo "$$skipped"; exit $$status

# 10,000 messages of 8 KB from Dovecot to Dovecot.
bench:
	@sh internal/lab/real/install.sh
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./bench
