"""What the sheets say around the dialogues, in Chinese and English."""

from __future__ import annotations

from rapport_bench.human.sheets.study import Text

NOTICE: dict[str, Text] = {
    "title": {"zh": "开始之前", "en": "Before you begin"},
    "task": {
        "zh": "你会读到一些人与支持者的对话。每段对话停在支持者该回应的地方，后面是几条不同的回复，一条一条出现。"
        "请为每条回复在三个方面打 1 到 5 分。回复的来源已经隐去，顺序是随机的。",
        "en": "You will read conversations between people and a supporter. Each stops where the supporter "
        "is to answer, and several replies follow, one at a time. Please rate every reply from 1 to 5 in "
        "three respects. Where replies come from is hidden, and their order is random.",
    },
    "how": {
        "zh": "请单独评价每一条回复，不要和别的回复比较；三个方面分开考虑；放心使用全部分数。没有标准答案，"
        "请不要和其他评分者讨论。有几处回复会直接写明要打几分，请照做。有的对话会出现两次，请照当时的感觉打分。",
        "en": "Judge each reply by itself, not against the others; take the three respects one by one; "
        "use the whole scale. There is no right answer; please do not discuss it with other raters. A few "
        "replies say openly which value to give: please do so. Some conversations come twice: rate them as "
        "you see them then.",
    },
    "content": {
        "zh": "内容提示：对话涉及压力、失去、争吵、孤独等难受的经历，读起来可能让人不舒服。",
        "en": "Content notice: the conversations are about distress, such as loss, conflict, pressure and "
        "loneliness, and may be hard to read.",
    },
    "crisis": {
        "zh": "其中一些对话涉及自伤、自杀或暴力。",
        "en": "Some of them are about self-harm, suicide or violence.",
    },
    "stop": {
        "zh": "你可以随时停下，也可以跳过任何一段对话，不需要理由。如果读了难受，请停下来，和你信任的人，"
        "或把这份材料交给你的人谈谈。",
        "en": "You may stop at any time and skip any conversation, without giving a reason. If it affects "
        "you, stop, and talk to someone you trust or to the person who gave you this.",
    },
    "private": {
        "zh": "请对读到的内容保密，不要转发这份材料。",
        "en": "Keep what you read to yourself, and do not pass this on.",
    },
}
"""Shown before anything else; ``crisis`` only where it applies."""

TABLE_HELP: Text = {
    "zh": "在“ratings”表中，每行是一条回复。请在最后三列填 1 到 5 的整数；跳过的留空。不要改动其他列。"
    "这段对话在每一行重复出现。",
    "en": "In the sheet “ratings” each row is one reply. Put whole numbers from 1 to 5 into the last "
    "three columns; leave what you skip empty. Do not change other columns. The conversation is repeated "
    "in each row.",
}

ROLES: dict[str, Text] = {
    "system": {"zh": "背景", "en": "Background"},
    "user": {"zh": "对方", "en": "Person"},
    "assistant": {"zh": "支持者", "en": "Supporter"},
}

PAGE: dict[str, Text] = {
    "title": {"zh": "回复评分", "en": "Rating replies"},
    "noscript": {
        "zh": "这个页面需要启用 JavaScript。",
        "en": "This page needs JavaScript to be switched on.",
    },
    "local": {
        "zh": "评分只保存在这个浏览器里，不会发送到任何地方。关闭后再打开可以继续。最后请导出一个文件，交给组织者。",
        "en": "Ratings are kept in this browser only and are sent nowhere. You can close this page and go "
        "on later. At the end, export one file and give it to whoever organises the study.",
    },
    "blocked": {
        "zh": "这个浏览器不允许保存：关闭或刷新页面会丢失评分。请换一个浏览器（不要用隐私模式），或在关闭前导出文件，"
        "下次从文件继续。",
        "en": "This browser does not let the page save: closing or reloading it loses your ratings. Use "
        "another browser (no private window), or export the file before you close, and go on from the "
        "file next time.",
    },
    "keys": {
        "zh": "键盘：1–5 打分并跳到下一项，↑ ↓ 换项，Enter 下一条，Shift+Enter 上一条。",
        "en": "Keyboard: 1–5 rate and move on, ↑ ↓ change the scale, Enter next reply, Shift+Enter "
        "previous one.",
    },
    "start": {"zh": "我已了解，开始", "en": "I understand, begin"},
    "go_on": {"zh": "我已了解，继续", "en": "I understand, go on"},
    "context": {"zh": "对话", "en": "Conversation"},
    "item": {"zh": "第 {n} 段，共 {total} 段", "en": "Conversation {n} of {total}"},
    "reply": {"zh": "回复 {n} / {total}", "en": "Reply {n} of {total}"},
    "same_context": {
        "zh": "同一段对话的另一条回复。请单独评价它。",
        "en": "Another reply to the same conversation. Judge it by itself.",
    },
    "show_all": {"zh": "显示全部（{n} 个字符）", "en": "Show all ({n} characters)"},
    "show_less": {"zh": "收起", "en": "Show less"},
    "ratings": {"zh": "评分", "en": "Ratings"},
    "anchors_hide": {"zh": "隐藏说明", "en": "Hide descriptions"},
    "anchors_show": {"zh": "显示说明", "en": "Show descriptions"},
    "previous": {"zh": "上一条", "en": "Previous"},
    "next": {"zh": "下一条", "en": "Next"},
    "skip": {"zh": "跳过这段对话", "en": "Skip this conversation"},
    "skipped": {
        "zh": "这段对话已跳过，不会计入。",
        "en": "This conversation is skipped and will not count.",
    },
    "unskip": {"zh": "还是评分", "en": "Rate it after all"},
    "overview": {"zh": "概览与导出", "en": "Overview and export"},
    "back": {"zh": "回到评分", "en": "Back to rating"},
    "progress": {"zh": "已评 {done} / {total} 条回复", "en": "{done} of {total} replies rated"},
    "saved": {"zh": "已保存", "en": "Saved"},
    "incomplete": {
        "zh": "还有没打分的项：{what}",
        "en": "Not rated yet: {what}",
    },
    "all_done": {
        "zh": "全部完成，谢谢。请导出文件，交给组织者。",
        "en": "All done, thank you. Please export the file and give it to whoever organises the study.",
    },
    "missing": {
        "zh": "还有 {n} 条回复没有评完。可以点下面的号码回去，也可以现在就停下并导出。",
        "en": "{n} replies are not fully rated. Choose a number below to go back, or stop here and export.",
    },
    "legend": {
        "zh": "✓ 完成，– 跳过，· 未完成",
        "en": "✓ complete, – skipped, · open",
    },
    "complete": {"zh": "完成", "en": "complete"},
    "open": {"zh": "未完成", "en": "open"},
    "was_skipped": {"zh": "已跳过", "en": "skipped"},
    "export": {"zh": "导出文件", "en": "Export the file"},
    "exported": {
        "zh": "已导出 {name}。如果没有看到下载，请用下面的文字。",
        "en": "Exported {name}. If no download appeared, use the text below.",
    },
    "as_text": {"zh": "改为复制文字", "en": "Copy as text instead"},
    "copy": {"zh": "复制", "en": "Copy"},
    "copied": {"zh": "已复制", "en": "Copied"},
    "not_copied": {
        "zh": "无法自动复制：文字已选中，请按 Ctrl+C 或 ⌘C。",
        "en": "Could not copy by itself: the text is selected, press Ctrl+C or ⌘C.",
    },
    "load": {"zh": "从导出的文件继续", "en": "Go on from an exported file"},
    "loaded": {"zh": "已读入 {n} 个评分。", "en": "{n} ratings read."},
    "not_loaded": {
        "zh": "这个文件不是这份评分页导出的，没有读入。",
        "en": "This file was not exported from this page; nothing was read.",
    },
    "again": {"zh": "再看一次说明", "en": "Show the notice again"},
}
"""Texts of the rating page."""
