GO ?= go
# The race detector needs a C compiler. In CI it is not optional.
RACE := $(if $(CI)$(shell command -v gcc),-race)

.PHONY: test test-crash test-kill test-cuts test-faults sabotage bench

# Everything: installs the mail servers that it talks to when they are missing and it may, and says at the end which it
# could not get.
test:
	@skipped=$$(sh internal/lab/real/install.sh); \
	$(GO) test $(RACE) -shuffle=on -timeout 30m ./...; status=$$?; \
	[ -z "$$skipped" ] || echo "$$skipped"; exit $$status

# The program is killed at each of its steps, and random histories go on for longer: see internal/proof.
test-crash:
	POP2IMAP_PROOF=all $(GO) test -count=1 -parallel 8 -timeout 50m -run 'Crash|Histories' ./internal/proof

# The program is killed fifty times at random moments between real servers.
test-kill:
	@sh internal/lab/real/install.sh
	POP2IMAP_PROOF=all $(GO) test -count=1 -v -timeout 30m -run Killed ./internal/proof

# A line broken after each octet of a session: a quarter of an hour. It waits more than it works, so several do at a time.
test-cuts:
	$(GO) test -parallel 8 -timeout 60m -run TestCutAfterEachOctet ./internal/cuts -args -every 1

# The kernel fails the program, at each system call that matters. What cannot be shown here says NOT SHOWN.
test-faults:
	@command -v strace >/dev/null || apt-get install -y -q strace >/dev/null 2>&1 || sudo -n apt-get install -y -q strace || true
	$(GO) test -v -timeout 60m ./internal/faults -args -all

# The tests with each safeguard taken out of the program: each must be noticed.
sabotage:
	sh internal/sabotage/run.sh ./sync ./state

# How fast it is beside others, in about ten minutes; docs/performance.md has what came out and says what else there is.
# FULL=1 measures all cases (hours), BENCH=Move/mixed-1000/mdbox_50 those that match, ROUNDS=3 counts the best of three.
BENCH ?= .
bench:
	@sh internal/lab/real/install.sh
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime 1x -timeout 10h ./bench $(if $(FULL),-full) \
		$(if $(ROUNDS),-rounds $(ROUNDS)) $(if $(PROGRAM),-program $(PROGRAM)) $(if $(PROFILES),-profiles $(PROFILES))
