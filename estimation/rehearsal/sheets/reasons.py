"""Texts of reasons, rulings and comments, and which sheets call for a reason."""

import numpy as np

from estimation.methods.arrays import Bools, Ints
from estimation.rehearsal.country import Country
from estimation.rehearsal.sheets.choices import odd_choices

# Finding (prefix of the edit code) -> reason code and texts; {n} is a serial number.
_REASONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "MIS-",
        "other",
        (
            "集团购数由下属单位分散办理，总部尚未建立台账，本年无法汇总。",
            "数据收益与软件收入合并核算，财务系统暂不能拆分。",
        ),
    ),
    (
        "P10",
        "method_change",
        (
            "视频采集点位由第三方运维，只能按设备数和码率估算年度数据量。",
            "部分生产系统未装计量模块，按上半年抽查结果推估全年。",
        ),
    ),
    ("S09", "method_change", ("本年更换存储平台，平台报表口径由去重改为含副本，已在台账中注明。",)),
    ("MT03", "business_change", ("数据空间二期于6月上线，新接入成员单位历史数据一次性开放。",)),
    ("X05", "previous_wrong", ("上年填报时计量单位误选，已与审核机构确认，本年按台账更正。",)),
    (
        "",
        "business_change",
        (
            "本年完成子公司业务并入，数据平台规模随之明显扩大。",
            "新建数据中心于3月投产，采集终端由两千台增至一万余台。",
            "主要客户合同到期未续签，相关系统下线，数据量大幅减少。",
            "年内上线视频质检系统，产生大量图像数据。",
        ),
    ),
)
INVALID_REASONS = (
    "not_credible",
    "wrong_perimeter",
    "duplicate",
    "out_of_scope",
    "all_blank",
    "copied",
    "not_signed",
)
INVALID_WEIGHTS = np.array([0.34, 0.2, 0.08, 0.06, 0.18, 0.06, 0.08])
EXEMPT_REASONS = ("not_started", "closed", "merged", "other")
RETURN_TEXTS = (
    "P01 较上年变动较大，请说明原因或核对计量单位。",
    "S02 与 S01 的比例偏高，请核对存储空间口径。",
    "F01 中公共数据占比与同行业差异明显，请补充说明。",
    "V01 投入与营业收入不匹配，请核对是否按万元填报。",
)
QUERIES = (
    ("P01", "年度数据生产总量与去年相比变化明显，请说明来源。"),
    ("S02", "存储总量是否含副本？请与 S09 保持一致。"),
    ("F01", "请补充说明主要流通对象。"),
    ("V01", "请核对金额单位是否为万元。"),
    ("A02", "人工智能用数是否包含推理调用？"),
)
DISPOSITION_TEXTS = {
    "refused": "单位明确表示不参加本年度调查，已电话回访两次。",
    "not_located": "登记地址无人办公，联系电话停用。",
    "closed": "单位已注销或停业。",
    "out_of_scope": "主营业务不属于调查范围。",
    "duplicate": "与另一在册单位为同一法人。",
}
_RATIO = ("P01", "S02", "F01", "A02", "V01", "T07")


def reason_for(edit: str, serial: int) -> tuple[str, str]:
    """Reason code and text for a soft finding; `serial` varies the text."""
    for prefix, code, texts in _REASONS:
        if edit.startswith(prefix):
            return code, texts[serial % len(texts)]
    raise AssertionError("the last entry fits every finding")


def may_need_reason(country: Country, rows: Ints, year: int, previous: Bools) -> Bools:
    """Units (n,) whose sheet may have a soft finding: a superset, so that only these go through the rules.

    `previous` (n,) says for whom last year's sheet is there to compare with.
    """
    odd = odd_choices(country.units, rows, country.streams)
    if year == 0:
        return odd
    values = country.values

    def ratio(code: str) -> np.ndarray:
        before, now = values[code][0, rows], values[code][1, rows]
        both = previous & (before > 0)  # nothing after something is a change as well
        result: np.ndarray = np.divide(now, before, out=np.ones(len(rows)), where=both)
        return result

    for code in _RATIO:
        change = ratio(code)
        odd |= (change > 4.9) | (change < 0.205)
    odd |= ratio("S02") < 0.81
    odd |= ratio("MT03") > 4.9
    odd |= ratio("K03") > 2.9
    odd |= ratio("B10") > 1.97
    odd |= previous & (values["T06"][0, rows] > 0) & (values["T06"][1, rows] == 0)
    stored = np.maximum(values["S02"][:, rows], 1e-12)
    shift = np.abs(values["S05"][1, rows] / stored[1] - values["S05"][0, rows] / stored[0])
    odd |= previous & (stored > 1e-6).all(0) & (shift > 0.19)
    odd |= values["S07"][1, rows] > 0.98 * (values["P01"][1, rows] + values["F03"][1, rows])
    odd |= values["T02"][1, rows] > 0.195 * np.where(
        values["B10"][1, rows] > 0, values["B10"][1, rows], np.inf
    )
    return np.asarray(odd)
