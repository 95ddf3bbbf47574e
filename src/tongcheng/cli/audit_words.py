"""What the audit says, in both languages: its labels, and every cause in a sentence."""

from tongcheng.kernel.words import Language

LABELS: dict[Language, dict[str, str]] = {
    "zh": {
        "line": "第",
        "theirs": "对方",
        "ours": "本系统",
        "rule": "规则",
        "summary": "按原因汇总：行数、基金多付、基金少付（元）、原因",
        "higher": "{count} 行的期初累计高于文件中前一笔之后的数额；"
        "其间可能有别处的结算，未计为差异",
        "drafts": "按地区包的规则册计算（草案也用）；不看节点采用了哪些版本",
        "verdict": "{rows} 行：{equal} 行一致，{differing} 行有差异，{unjudged} 行无法判断，"
        "用时 {seconds} 秒",
    },
    "en": {
        "line": "line",
        "theirs": "theirs",
        "ours": "ours",
        "rule": "rule",
        "summary": "by cause: rows, funds paid too much, too little (yuan), cause",
        "higher": "{count} rows open higher than the person's row before leaves it; something may "
        "have been settled elsewhere in between, so this is no difference",
        "drafts": "by the region pack's rule books, drafts too; what a node has adopted is not "
        "looked at",
        "verdict": "{rows} rows: {equal} equal, {differing} differ, {unjudged} could not be "
        "judged, in {seconds} s",
    },
}

CAUSE_WORDS: dict[str, dict[Language, str]] = {
    "sums_not_closed": {
        "zh": "对方自己的数字加不起来",
        "en": "their own figures do not add up",
    },
    "settled_twice": {"zh": "同一笔就诊结算了两次", "en": "the same stay was settled before"},
    "void_not_negative": {
        "zh": "撤销不是原结算的精确负数",
        "en": "the void is not the exact negative of what it takes back",
    },
    "opening_lost": {
        "zh": "年度累计被清零：上一笔之后应有余额",
        "en": "the year's totals start again from nothing, though the row before left some",
    },
    "opening_not_following": {
        "zh": "期初累计与该人员上一笔之后的数额不符",
        "en": "the opening totals are not what the person's row before left",
    },
    "opening_ignored": {
        "zh": "计算时没有使用期初累计",
        "en": "the opening totals were not used",
    },
    "opening_reset": {
        "zh": "按年内首次、累计为零计算",
        "en": "computed as if this were the first stay of the year",
    },
    "deductible_swapped": {
        "zh": "首次与再次住院的起付线用反了",
        "en": "the deductibles of a first and of a later admission were exchanged",
    },
    "deductible_missing": {"zh": "没有扣起付线", "en": "no deductible was taken off"},
    "deductible_twice": {"zh": "起付线扣了两次", "en": "the deductible was taken off twice"},
    "deductible_reduction_missing": {
        "zh": "该人员应减的起付线没有减",
        "en": "the reduction of the deductible for such persons was left out",
    },
    "deductible_other_level": {
        "zh": "用了另一等级医院的起付线",
        "en": "the deductible of another hospital level",
    },
    "deductible_other_person": {
        "zh": "用了另一类人员的起付线",
        "en": "the deductible of another kind of person",
    },
    "person_factor_missing": {
        "zh": "没有适用该人员的比例调整（如退休）",
        "en": "the adjustment of the ratio for such persons (the retired) was left out",
    },
    "person_points_multiplied": {
        "zh": "比例调整的算法错误：应加的百分点被相乘，或自付系数用反",
        "en": "the adjustment was worked in wrongly: points multiplied instead of added, or a "
        "share turned round",
    },
    "other_person": {"zh": "按另一类人员计算", "en": "computed for another kind of person"},
    "bands_other_person": {
        "zh": "用了另一类人员的分段比例",
        "en": "the bands of another kind of person",
    },
    "other_tier": {"zh": "按另一缴费档次计算", "en": "computed for another contribution tier"},
    "other_category": {
        "zh": "救助对象身份用错",
        "en": "computed for another category of assistance",
    },
    "other_level": {"zh": "按另一医院等级计算", "en": "computed for another hospital level"},
    "bands_other_level": {
        "zh": "用了另一等级医院的分段比例",
        "en": "the bands of another hospital level",
    },
    "other_subtype": {
        "zh": "按另一隶属关系的医院计算",
        "en": "computed for a hospital of another kind",
    },
    "other_period": {
        "zh": "首个结算期与后续结算期混淆",
        "en": "a first settlement period and a further one were confused",
    },
    "filing_cut_multiplied": {
        "zh": "备案降低的百分点被相乘，应当相减",
        "en": "the cut for the filing was multiplied; it is subtracted",
    },
    "filing_cut_missing": {
        "zh": "备案应降低的比例没有降低",
        "en": "the cut for the filing was left out",
    },
    "filing_cut_though_deemed": {
        "zh": "区域内视同备案，却降低了比例",
        "en": "cut although the region counts the stay as filed",
    },
    "other_filing": {"zh": "按另一备案类型计算", "en": "computed for another way of filing"},
    "band_neighbour": {
        "zh": "某一段用了相邻段的比例",
        "en": "one band was paid at its neighbour's ratio",
    },
    "band_whole": {
        "zh": "全部金额都按最高段的比例，没有分段",
        "en": "the whole amount was paid at the ratio of the highest band reached",
    },
    "bands_after_deductible": {
        "zh": "分段从起付线之后起算，应从零起算",
        "en": "the bands were counted from the deductible on; they count from zero",
    },
    "pool_cap_ignored": {
        "zh": "没有执行统筹基金年度封顶",
        "en": "the pool's yearly cap was not applied",
    },
    "large_missing": {
        "zh": "超过封顶的部分没有由大额基金支付",
        "en": "the large-amount fund did not go on beyond the cap",
    },
    "large_on_payment": {
        "zh": "大额基金按超出封顶的支付额计算，应按超出的费用计算",
        "en": "the large-amount fund was computed on the payment beyond the cap, not on the costs",
    },
    "large_other_person": {
        "zh": "大额基金用了另一类人员的比例",
        "en": "the large-amount fund's ratio of another kind of person",
    },
    "large_cap_other": {
        "zh": "大额基金用了另一类人员的封顶",
        "en": "the large-amount fund's cap of another kind of person",
    },
    "large_cap_ignored": {
        "zh": "没有执行大额基金封顶",
        "en": "the large-amount fund's cap was not applied",
    },
    "cover_missing": {
        "zh": "没有计算大病保险或医疗救助",
        "en": "a second cover was left out",
    },
    "other_version": {
        "zh": "用了规则册的另一版本",
        "en": "computed by another version of the rule book",
    },
    "other_reading": {
        "zh": "按来源有争议的另一数字计算",
        "en": "computed by the other of two figures that the sources dispute",
    },
    "rounded_down": {"zh": "舍去分以下，没有四舍五入", "en": "cut off below the fen"},
    "rounded_up": {"zh": "分以下一律进位", "en": "rounded up to the next fen"},
    "rounded_to_even": {"zh": "按银行家舍入", "en": "halves rounded to the even fen"},
    "rounded_each_band": {"zh": "逐段四舍五入", "en": "rounded band by band"},
    "rounded_each_band_down": {"zh": "逐段舍去分以下", "en": "cut off below the fen band by band"},
    "cap_point_rounded": {
        "zh": "封顶点先取整到分再往下计算",
        "en": "the cap point was rounded to fen before the next fund",
    },
    "float32": {
        "zh": "用单精度浮点数计算金额",
        "en": "amounts in 32-bit floating point",
    },
    "one_fen": {
        "zh": "相差不超过一分，取整方式未能确定",
        "en": "one fen at most, by a rounding that was not found",
    },
    "unexplained": {
        "zh": "没有一种已知原因能得出这些数字",
        "en": "no known cause gives these figures",
    },
}
