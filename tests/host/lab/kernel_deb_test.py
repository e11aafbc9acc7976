# SPDX-License-Identifier: GPL-2.0-or-later
"""What make kernel-deb adds to the configuration of a user, and what it says of one that is wrong."""

import tempfile
from pathlib import Path

import tap
from lab import kernel_deb, progress

CONFIG = """CONFIG_VFIO=m
CONFIG_VFIO_PCI=y
# CONFIG_PCIE_TPH is not set
CONFIG_LOCALVERSION="-theirs"
CONFIG_IOMMUFD=n
"""
FRAGMENT = """# a comment
CONFIG_VFIO=m
CONFIG_VFIO_PCI=m
CONFIG_PCIE_TPH=y
CONFIG_LOCALVERSION="-tphbuf"
CONFIG_IOMMUFD=m
CONFIG_VFIO_GROUP=y
"""


def test_options():
    """options of a configuration, off ones too"""
    tap.equal(kernel_deb.options(CONFIG), {"CONFIG_VFIO": "m", "CONFIG_VFIO_PCI": "y", "CONFIG_PCIE_TPH": "n",
                                           "CONFIG_LOCALVERSION": '"-theirs"', "CONFIG_IOMMUFD": "n"}, "options")


def test_wanted():
    """what is missing or wrong is added, and what is built in stays so"""
    tap.equal(kernel_deb.wanted(CONFIG, FRAGMENT).splitlines(),
              ["CONFIG_PCIE_TPH=y", 'CONFIG_LOCALVERSION="-tphbuf"', "CONFIG_IOMMUFD=m", "CONFIG_VFIO_GROUP=y"], "added")
    tap.equal(kernel_deb.wanted(FRAGMENT, FRAGMENT), "", "nothing where all is there")


def test_keys():
    """files of keys are replaced where there are some, and a kernel that checks no signatures gets none"""
    fragment = 'CONFIG_SYSTEM_TRUSTED_KEYS=""\nCONFIG_MODULE_SIG_KEY="certs/signing_key.pem"\n'
    tap.equal(kernel_deb.wanted('CONFIG_SYSTEM_TRUSTED_KEYS="debian/certs.pem"\n', fragment), 'CONFIG_SYSTEM_TRUSTED_KEYS=""\n',
              "of a distribution")
    tap.equal(kernel_deb.wanted("CONFIG_VFIO=m\n", fragment), "", "without signatures")


def _refusal(*args):
    try:
        kernel_deb.main([str(arg) for arg in args])
    except progress.StepError as err:
        return err.reason
    return ""


def test_wrong_configurations():
    """one line for a configuration that is missing or none, before anything is built"""
    with tempfile.TemporaryDirectory() as place:
        text = Path(place) / "text"
        text.write_text("hello\n")
        for args, words in (((), "CONFIG is missing"), ((place,), "is not a file"), ((Path(place) / "none",), "is not a file"),
                            ((text,), "is not a kernel configuration")):
            tap.true(words in _refusal(*args), f"{args}: {_refusal(*args)}")


def test_fragment():
    """the fragment of the project has what a tag needs"""
    options = kernel_deb.options(kernel_deb.FRAGMENT.read_text())
    for name in ("PCIE_TPH", "VFIO_PCI_DMABUF", "VFIO_DEVICE_CDEV", "PCI_P2PDMA"):
        tap.equal(options.get(f"CONFIG_{name}"), "y", name)


if __name__ == "__main__":
    tap.run(globals())
