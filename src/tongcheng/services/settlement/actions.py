"""What people do on settlement's pages, by name, for the table of authority."""

from tongcheng.kernel.access import Action

ACTIONS: tuple[Action, ...] = (
    Action("rulebook.read"),
    Action("settlement.case.read", personal=True),
    Action("settlement.cases.read"),
    Action("settlement.desk.read"),
    Action("settlement.estimate.read"),
    Action("settlement.ledger.read"),
    Action("settlement.month.read"),
    Action("settlement.stay.read", personal=True),
    Action("settlement.stays.read"),
    Action("settlement.what_if.run"),
)
