"""What the national interface answers, node by node: pure functions from rows to fields.

What this node does not know (民族, 余额 and the like) is null, never a default that would read as
a fact; docs/hospital.md lists those fields.
"""

from datetime import date
from typing import Final

import msgspec

from tongcheng.kernel.calendar import local_date, local_text
from tongcheng.kernel.money import round_half_up
from tongcheng.services.settlement.catalogue import NO_CEILING, RATIO_DIGITS
from tongcheng.services.settlement.kept_lines import LineRow
from tongcheng.services.settlement.model import BenefitResult, Identity, ScopeTotals
from tongcheng.services.settlement.national_fields import Node, TransactionTable, codes, tables
from tongcheng.services.settlement.national_messages import Value, Written, fill
from tongcheng.services.settlement.store import PatientRow, StayRow

Nodes = dict[str, dict[str, Written] | list[dict[str, Written]]]
Values = dict[str, Value | None]


OTHER_FUNDS: Final = "oth_pay"
FUND_FIELDS: Final = (
    "hifp_pay",
    "cvlserv_pay",
    "hifes_pay",
    "hifmi_pay",
    "hifob_pay",
    "maf_pay",
    "hifdm_pay",
    OTHER_FUNDS,
)
"""The fields that `fund_pay_sumamt` is the sum of."""


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """One settlement as it is shown: whose, of which stay, how much.

    `sign` is 1, or -1 when it is taken back: every amount is then the exact negative.
    `identity` is None where the answer names nobody.
    """

    stay: StayRow
    identity: Identity | None
    totals: ScopeTotals
    result: BenefitResult
    settlement_id: str | None
    settled_at: int
    msgid: str
    zone: str
    sign: int = 1


def _table(infno: str) -> TransactionTable:
    return tables().transactions[infno]


def _only(node: Node, values: Values) -> dict[str, Written]:
    """Fill a node with those of the values that its table knows."""
    names = {field.name for field in node.fields}
    return fill(node, {name: value for name, value in values.items() if name in names})


def age_of(born_on: str, today: date) -> int | None:
    """Return completed years in tenths (年龄 is 4,1), None for a day that does not exist."""
    try:
        born = date.fromisoformat(born_on)
    except ValueError:
        return None
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return years * 10


def _person(identity: Identity | None, today: date) -> Values:
    if identity is None:
        return {}
    return {
        "psn_name": identity.name,
        "psn_cert_type": codes().constants["psn_cert_type"],
        "certno": identity.id_number,
        "gend": identity.gender,
        "brdy": identity.born_on,
        "age": age_of(identity.born_on, today),
    }


def person(patient: PatientRow, identity: Identity, today: date) -> Nodes:
    """Return the answer to 1101."""
    table = _table("1101")
    known = codes()
    base: Values = {"psn_no": patient.person_id, **_person(identity, today)}
    insured: Values = {
        "insutype": patient.scheme,
        "psn_type": known.person_types.get(patient.person_type),
        "psn_insu_stas": known.constants["psn_insu_stas"],
        "insuplc_admdvs": patient.admdvs,
    }
    return {
        "baseinfo": fill(table.answer_node("baseinfo"), base),
        "insuinfo": [fill(table.answer_node("insuinfo"), insured)],
        "idetinfo": [],
    }


def line(row: LineRow) -> dict[str, Written]:
    """Return how a line was split, as 2301 answers."""
    ceiling = NO_CEILING if row.price_ceiling_e6 is None else row.price_ceiling_e6
    share = 10**RATIO_DIGITS if row.item_class == "C" else row.first_self_pay_bp
    values: Values = {
        "feedetl_sn": row.line_id,
        "det_item_fee_sumamt": row.total_fen,
        "cnt": row.quantity_e4,
        "pric": row.unit_price_e6,
        "pric_uplmt_amt": ceiling,
        "selfpay_prop": share,
        "fulamt_ownpay_amt": row.self_paid_fen,
        "overlmt_amt": row.over_ceiling_fen,
        "preselfpay_amt": row.first_self_pay_fen,
        "inscp_scp_amt": row.in_scope_fen,
        "chrgitm_lv": codes().item_classes[row.item_class],
        "med_chrgitm_type": codes().charge_types.get(row.charge_category),
    }
    return fill(_table("2301").answer_node("result"), values)


def _amounts(bill: Bill) -> Values:
    """Return the money of a bill; the three identities of the interface hold between them."""
    totals, result, sign = bill.totals, bill.result, bill.sign
    pool = sum(one.amount_fen for one in result.funds if one.layer == "pool")
    share = round_half_up(pool * 10_000, totals.in_scope_fen) if totals.in_scope_fen else 0
    funds = dict.fromkeys(FUND_FIELDS, 0)
    for one in result.funds:
        field = codes().fund_fields.get((bill.stay.scheme, one.layer), OTHER_FUNDS)
        funds[field] += one.amount_fen
    amounts = {
        "medfee_sumamt": totals.total_fen,
        "fulamt_ownpay_amt": totals.self_paid_fen,
        "overlmt_selfpay": totals.over_ceiling_fen,
        "preselfpay_amt": totals.first_self_pay_fen,
        "inscp_scp_amt": totals.in_scope_fen,
        "act_pay_dedc": result.deductible_fen,
        **funds,
        "fund_pay_sumamt": result.fund_fen,
        "hosp_part_amt": result.hospital_fen,
        "psn_part_amt": result.person_fen,
        "acct_pay": result.account_fen,
        "psn_cash_pay": result.person_fen - result.account_fen,
        "acct_mulaid_pay": 0,
    }
    assert sum(funds.values()) == result.fund_fen, "what a fund pays stands in one field"
    return {**{name: sign * fen for name, fen in amounts.items()}, "pool_prop_selfpay": share}


def _details(bill: Bill, node: Node) -> list[dict[str, Written]]:
    """Return a row for each fund that pays (结算基金分项)."""
    rows = []
    for payment in bill.result.funds:
        if payment.amount_fen == 0:
            continue
        called = codes().funds.get((bill.stay.scheme, payment.layer))
        values: Values = {
            "fund_pay_type": called.code if called else None,
            "fund_pay_type_name": called.name if called else payment.fund,
            "inscp_scp_amt": bill.sign * bill.totals.in_scope_fen,
            "fund_payamt": bill.sign * payment.amount_fen,
        }
        rows.append(fill(node, values))
    return rows


def settlement(infno: str, bill: Bill) -> Nodes:
    """Return the answer to 2303, 2304 or 2305."""
    table = _table(infno)
    stay, known = bill.stay, codes()
    values: Values = {
        "mdtrt_id": stay.stay_id,
        "setl_id": bill.settlement_id,
        "psn_no": stay.person_id,
        **_person(bill.identity, local_date(bill.settled_at, bill.zone)),
        "insutype": stay.scheme,
        "psn_type": known.person_types.get(bill.result.person_type),
        "setl_time": local_text(bill.settled_at, bill.zone),
        "mdtrt_cert_type": known.offered["mdtrt_cert_type"][0],
        "med_type": known.constants["med_type"],
        **_amounts(bill),
        "medins_setl_id": bill.msgid,
        "clr_type": known.constants["clr_type"],
    }
    return {
        "setlinfo": _only(table.answer_node("setlinfo"), values),
        "setldetail": _details(bill, table.answer_node("setldetail")),
    }


def warnings_of(bill: Bill) -> list[str]:
    """Return what the answer to a settlement must say besides its amounts."""
    return ["BOOK_DRAFT"] if bill.result.book_status == "draft" else []
