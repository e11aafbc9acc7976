# SPDX-License-Identifier: GPL-2.0-or-later

LAB = lab/bootstrap
SELECTED = $(if $(SUITE),'$(SUITE)')

.PHONY: help demo check check-host check-ci check-full matrix bench shell picture kernel-tree kernel-series kernel-deb deb install uninstall clean

help:
	@echo 'make demo           send a file into the accelerator: untagged, tagged, re-tagged, cleared, revoked;'
	@echo '                    FILE=path, DOMAIN=identity|translated, NIC=mlx5 for RDMA, OPEN=1 opens the page'
	@echo 'make check          the tests, without the slow ones; SUITE=name or SUITE=name/case for some of them'
	@echo 'make check-host     the tests that need a compiler and Meson and nothing else'
	@echo 'make check-ci       the slow tests too, on the base kernel'
	@echo 'make check-full     all tests, those of the virtual machine also on the debug and the race kernel'
	@echo 'make matrix         the tests of the virtual machine on the kernel without the series, with each topic of it, and with'
	@echo '                    all: what each cures; KERNEL="name ..." for some of these kernels'
	@echo 'make bench          count the instructions of the calls of the series'
	@echo 'make shell          a shell in the virtual machine, with an accelerator, a DMA engine and an RDMA NIC;'
	@echo '                    PAGE=1 serves the page of its TLPs as they come, on 127.0.0.1'
	@echo 'make picture        take the picture of the README, docs/page.png, from the page of the last demo'
	@echo 'make kernel-tree    a git tree of Linux in build/linux, with the series as commits;'
	@echo '                    TREE=path BASE=commit for a git tree of your own'
	@echo 'make kernel-series  write the commits in build/linux back to kernel/series;'
	@echo '                    TREE=path for a git tree of your own, TOPIC="name ..." for some topics'
	@echo 'make kernel-deb     Debian packages of Linux with the series in build/kernel-deb, configured as a kernel of yours:'
	@echo '                    CONFIG=/boot/config-VERSION'
	@echo 'make deb            Debian packages of the library, the command and the endpoints in build/deb'
	@echo 'make install        build and install the library and the command; DESTDIR=, PREFIX=/usr/local'
	@echo 'make uninstall      delete what make install has installed with the same DESTDIR and PREFIX'
	@echo 'make clean          delete build/ but for build/linux; what was built for the machine stays in the cache'
	@echo
	@echo 'KERNEL_TREE=path    a tree or tarball of Linux 7.3.y instead of the Debian package'
	@echo 'ACCEL=kvm           use KVM; the default, tcg, works everywhere'
	@echo 'MIRROR=url          Debian mirror; the default is the one that apt uses here'
	@echo 'TPHBUF_CACHE=path   where built things are kept; default ~/.cache/tphbuf'

demo:
	@$(LAB) demo

check:
	@$(LAB) check $(SELECTED)

check-host:
	@$(LAB) check --host $(SELECTED)

check-ci:
	@$(LAB) check --slow $(SELECTED)

check-full:
	@$(LAB) check --full $(SELECTED)

matrix:
	@$(LAB) matrix $(KERNEL) $(SUITE)

bench:
	@$(LAB) check cost cost_unpatched && \
	for suite in cost_unpatched cost; do echo "$$suite:"; sed -n 's/^# /  /p' build/vm/$$suite/$$suite.tap; done

shell:
	@$(LAB) shell

kernel-tree:
	@$(LAB) kernel-tree

kernel-series:
	@$(LAB) kernel-series

install uninstall:
	@PREFIX='$(or $(PREFIX),/usr/local)' DESTDIR='$(DESTDIR)' INSTALL_BUILD='$(INSTALL_BUILD)' packaging/install.sh $@

picture:
	@$(LAB) picture

kernel-deb:
	@$(LAB) kernel-deb $(if $(CONFIG),'$(CONFIG)')

deb:
	@$(LAB) deb

# The tree of make kernel-tree may hold commits that are nowhere else.
clean:
	@[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name linux -exec rm -rf {} +
	@[ ! -d build/linux ] || echo 'build/linux stays: delete it when it holds no work of yours'
