"""The services of this software, in one literal tuple."""

from tongcheng.kernel.service import Service

SERVICES: tuple[Service, ...] = ()
