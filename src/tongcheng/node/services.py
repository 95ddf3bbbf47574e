"""The services of this software, in one literal tuple."""

from tongcheng.kernel.service import Service
from tongcheng.services.mobility.service import SERVICE as MOBILITY
from tongcheng.services.plan import SERVICE as PLAN
from tongcheng.services.settlement.service import SERVICE as SETTLEMENT

SERVICES: tuple[Service, ...] = (PLAN, SETTLEMENT, MOBILITY)
