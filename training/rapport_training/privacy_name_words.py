"""Word lists for finding people: surnames, what goes before and after a name, what is no name.

Public figures stay where nothing says that the person is one of the dialogue ("我喜欢周杰伦的歌"): they
do not point at the client. They are masked after a cue ("我叫马云").
"""

from __future__ import annotations

import re

SURNAMES_SURE = frozenset(
    "王李刘陈杨赵吴徐孙胡朱郭林罗郑梁宋唐邓冯韩曹彭萧肖蔡潘袁董苏吕魏蒋杜沈姜范傅卢汪崔陆廖姚邱丘谭韦贾邹"
    "熊孟秦阎薛侯郝孔邵顾赖贺尹洪龚庞樊兰殷翟倪汤俞申葛岳齐伍覃卓耿邢鲁欧聂焦柳邸闫尤翁褚甄裴骆冉祁柯阮"
    "谷舒丁屈蒲佟詹霍司窦隋蔺闵姬苗滕卞宫"
)
"""Characters that, standing alone as a word, are nearly always a surname."""

SURNAMES_LIKELY = frozenset(
    "张黄周马叶余金夏石龙雷方任田许史钟江谢戴白武康严牛章游童莫景左季符毛施涂温凌纪梅尚陶易喻鲍毕"
    "卫裘沙米蓝花华蒙靳项柴桂冼麦池栾甘邬艾娄古辛"
)
"""Characters that are a surname or, about as often, a word."""

SURNAMES_RARE = frozenset("高何曾段钱万关于成路安查单包常连乐边解宁费支荣盛封程洛云仲计宗柏祝管")
"""Characters that are words far more often; they need a cue, or an unmistakable given name."""

SURNAMES_DOUBLE = frozenset(
    "欧阳 司马 上官 诸葛 慕容 皇甫 夏侯 令狐 尉迟 东方 公孙 端木 南宫 西门 司徒 长孙 宇文 轩辕 闻人 独孤 申屠 淳于".split()
)
SURNAMES_DOUBLE_WORDS = frozenset(("东方", "西门"))
"""Double surnames that are words as well."""

TITLES = (
    "老师 医生 大夫 主任 经理 总监 总经理 教授 先生 女士 小姐 同学 师傅 校长 院长 律师 警官 护士 主管 处长 科长 局长 书记 队长 "
    "班长 部长 店长 老板 阿姨 叔叔 奶奶 爷爷 伯伯 婶婶 大哥 大姐 大爷 大妈 大叔 大婶 太太 妈妈 爸爸 咨询师 导师 教练 博士 "
    "法官 检察官 所长 厂长 厅长 县长 市长 镇长 村长 组长 会长 董事长 秘书 工程师 辅导员 姑娘 婆婆 公公 司机 专家 医师 督导 "
    "姐姐 哥哥 学长 学姐 师兄 师姐 学弟 学妹 家长 部门长 社长 园长 社工 姨妈 舅舅 姑姑 房东 总裁 警察 同志 夫人 女士"
).split()
SHORT_TITLES = frozenset("哥姐总叔姨嫂婶董爷妈工导")

ROLES = (
    "同事 同学 同桌 室友 舍友 朋友 男友 女友 男朋友 女朋友 闺蜜 闺密 发小 死党 老公 老婆 丈夫 妻子 爱人 前任 前男友 前女友 前夫 前妻 老板 领导 上司 "
    "主管 经理 班长 组长 师兄 师姐 师弟 师妹 学长 学姐 学弟 学妹 表哥 表姐 表弟 表妹 堂哥 堂姐 堂弟 堂妹 弟弟 妹妹 哥哥 姐姐 大哥 "
    "大姐 爸爸 妈妈 父亲 母亲 爸 妈 儿子 女儿 孩子 闺女 外甥 外甥女 侄子 侄女 邻居 老师 医生 咨询师 班主任 导师 教练 房东 客户 对象 网友 学生 病人 "
    "亲戚 主任 教授 校长 男生 女生 男孩 女孩 伙伴 搭档 助理 秘书 未婚夫 未婚妻 初恋 兄弟 姐妹 婆婆 公公 岳父 岳母 外婆 外公 奶奶 爷爷 舅舅 "
    "姑姑 姨妈 叔叔 嫂子 弟媳 姐夫 妹夫 儿媳 女婿 孙子 孙女 宝宝 老乡 队友 辅导员 同伴 好友 战友 老人 护士 主治医生 合伙人 暗恋 喜欢的人"
).split()

CUE = re.compile(
    r"(?:(?:名字|姓名|真名|本名|大名|小名|乳名|昵称|网名|笔名|艺名|全名|学名|花名)(?:就|都|现在)?(?:叫做?|是|为|：|:)?|名叫|取名|起名|名为|改名"
    r"|(?:我|他|她|它|人|孩|儿|友|的|位|个|妹|姐|弟|哥|妈|爸|师|事|板|伴|象|娃|生|婆|公|桌|蜜|长|理|姓|都|就|们|，)叫做?|(?:叫|称呼|喊)我"
    r"|姓名[：:]?|客户|来访者|患者|联系人|收件人|化名|(?i:my name is|i'm|i am|name's|call me|this is|named|called))"
    r"[：:\s]*[“\"「『《]?$"
)
"""What stands right before a name, at the end of the text so far."""

INTRODUCED = re.compile(
    r"(?:^|[，。！？,.!?、；\s好])(?:你好，?)?(?:我|他|她|这|那|对方|本人)(?:就)?(?:是|:|：)$"
)
ROLE_CUE = re.compile(f'(?:{"|".join(sorted(ROLES, key=len, reverse=True))})(?:是|叫)?[：:“"（(]?$')
LIGHT_LEFT = frozenset(
    "说 叫我 拿 惹 欠 骂 打 照顾 信任 依赖 羡慕 嫉妒 想念 思念 和 跟 与 给 找 问 对 让 被 把 向 陪 喜欢 爱 认识 遇到 叫 是 帮 约 告诉 同 及 因为 由 但 而 像 以及 还有 恨 想 看到 听 听说 讨厌 害怕 暗恋 感谢 "
    "谢谢 见到 遇见 碰到 嫁给 娶 追 追求 联系 拜托 请 去 到 等 替 为 比 连 离开 邀请 拒绝 姓 以 原来 于是 后来 那天 昨天 今天 可 可是 但是 所以".split()
)
BOUNDARY = frozenset("，。！？、；：,.!?;:“”\"'‘’（）()《》「」【】…—~～ \n\t■")
RIGHT = frozenset(
    "让 使 令 的话 出轨 出现 上 吵 抑郁 休学 很久 自杀 怀孕 生病 去世 走了 打了 说 他 她 是 和 跟 与 就 也 又 不 没 没有 在 对 一直 总 总是 今天 昨天 上周 给 把 让 约 问 来 去 要 想 打 骂 提 告诉 突然 有 以前 现在 曾经 很 最近 都 呢 吗 "
    "啊 吧 的 说话 觉得 跟我 认为 从 被 会 还 已经 却 前天 经常 常常 因为 同 向 到 那 这 们 每次 每天 老 似乎 好像 刚 刚刚 先 后来 终于 竟然 居然 陪 帮 帮我 "
    "分手 吵架 结婚 离婚 表白 出轨 住 喜欢 爱 比 听 看 曾 希望 知道 劝 安慰 答应 拒绝 建议 陪我 对我 笑 哭 发 联系 回 当 只 能 真 特别 家 家里 一起 老是 你 您 "
    "一 也许 两 之间 之后 平时 从来 永远 以后 应该 可能 可以 其实 几乎 自己 生气 道歉 搬 走 找 叫 生日 上次 昨晚 今年 去年 明天 周末 嘛 呀 哦 啦 了 从小 非常 "
    "请 嫌 欺负 否 主动 追 介绍 推荐 送 借 欠 写 做 教 带 拿 用 开 担心 开始 其 聊 聊天 他们 来说 打电话 发来 发给 偷偷 抢 嘲笑 批评 表扬".split()
)

NICK_STOP = frozenset(
    "小朋 小时 小心 小孩 小学 小组 小说 小区 小事 小气 小鬼 小人 小姐 小三 小妹 小弟 小伙 小狗 小鱼 小声 小小 小型 小于 小吃 小店 小镇 小便 小腿 小脑 "
    "小贩 小偷 小丑 小数 小船 小草 小树 小海 小月 小年 小号 小米 小友 小康 小路 小建 小苗 小林子 小珠 小舟 小巧 小柱 小金库 小包 小车 小成 小宝 小钱 小节 "
    "小花 小白 小雨 小雪 小山 小河 小江 小朋 小单 小段 小家 小龙虾 小常 小能 小石 小鹿 小鸟 小羊 小牛 小马 小熊 小猫 小猪 小兔 小虎 小池 小项 小管 小符 小众 小时候 小莫 "
    "小龙 小银 小溪 小步 小美 小计 小安 小方 小易 小向 小连 小任 小任务 小纪 小章 小票 小左 小古 小辛 小岛 小波 小心翼 小亮点 小亮 小叶 小生 小圆 小星 小云朵 "
    "小武 小童 小爱 小桥 小竹 小沙 小凤 小贤 小天 小秘 小才 小民 小国 小光 小利 小伟人 小楼 小洋 小春 小暑 小寒 小满 小乐 小文 小梅 小景 小游 小封 小冰 小冷 小酒 小果 小英 小成就 "
    "老公 老婆 老师 老板 老人 老家 老是 老实 老大 老二 老三 老爸 老妈 老头 老乡 老年 老化 老友 老外 老天 老虎 老鼠 老子 老总 老底 老爷 老祖 老娘 老弟 老哥 老姐 "
    "老同 老毛 老路 老黄 老马 老金 老牛 老光 老花 老江 老史 老方 老舒 老龙 老任 老田 老白 老家 老康 老武 老温 老左 老古 老林 老树 老君 老帅 老景 老蓝 老艾 老米 老车 老管 老严 "
    "阿姨 阿拉 阿里 阿妈 阿爸 阿婆 阿公 阿哥 阿弟 阿妹 阿富 阿德 阿尔 阿斯 阿甘 阿门 阿胶 阿迪 阿曼 阿司 阿拉伯 阿森 阿根 阿飞 阿基 阿美 阿玛 阿米 阿克 阿联 阿特 阿普 阿莫 阿托 阿波".split()
)
"""What is not, or not without a cue, a nickname although it looks like one."""

TWICE_STOP = frozenset(
    "常常 天天 刚刚 渐渐 慢慢 偷偷 默默 往往 仅仅 纷纷 频频 连连 苦苦 悄悄 静静 轻轻 深深 远远 好好 明明 早早 乖乖 高高 白白 团团 重重 匆匆 牢牢 紧紧 年年 月月 日日 夜夜 时时 处处 事事 人人 个个 家家 代代 样样 草草 微微 缓缓 统统 通通 平平 堂堂 汪汪 生生 活活 淡淡 呵呵 哈哈 嘻嘻 嘿嘿 嗯嗯 谢谢 哥哥 姐姐 弟弟 妹妹 爸爸 妈妈 爷爷 奶奶 叔叔 婆婆 公公 舅舅 姑姑 宝宝 娃娃 伯伯 婶婶 太太 星星 猩猩 看看 想想 说说 聊聊 试试 等等 恰恰 略略 稍稍 万万 切切 断断 整整 足足 满满 双双 久久 大大 小小 多多 少少 长长 短短 冷冷 暖暖 甜甜蜜蜜".split()
)
"""Doubled characters that are no pet name, even after 女儿."""

NICK_WEAK = frozenset(
    "小龙 小白 小雨 小雪 小宝 小亮 小叶 小乐 小文 小梅 小英 小光 小天 小波 小洋 小春 小凤 小武 小方 小安 小马 小任 小熊 小虎 小海 小树 小林 小花 小童 小美 小古 小游 小景 小云 小连 小石 小田 小江 "
    "小冰 小月 小鹿 小星 小果 小左 小易 小向 小纪 小段 小钱 小成 小贤 小莫 老方 老黄 老马 老金 老牛 老江 老史 老田 老白 老林 老任 老龙 老温 老毛 老康 老武 老严 老左 阿美 阿德 阿飞 阿森 小民 小国 小利".split()
)
"""Nicknames only after a cue, or before a verb of saying or doing."""

NO_PERSON = frozenset(
    "白莲花 白玫瑰 古诗 古诗云 古诗文 古琴 古典 古筝 古风 洪亮 沙龙 张弛 张弛有度 陈述 谦谦 潮汐 康复 蓝光 施工 麦克风 阿立 舒思 舍曲林 大牛 花妈 明显 毛绒绒 毛茸茸 花香 陈述 钱财 高楼 高大 高中时 高考前 路上 路人 路过 路线 常规 包容 包括 包装 包袱 单独 单纯 单位 单身 单调 关怀 关键 关闭 关机 安装 安静下来 安全感 程度 程序 成天 成人 成员 成本 成就 成就感 查询 查看 连忙 连同 边缘 边界 费用 费力 费心 支持 支付 支撑 荣耀感 盛大 封闭 封面 洛阳 云端 计算 宗旨 宗教 段位 万事 万分 万物 乐园 乐队 乐于 祝大家 管住 华人 沙子 米粒 古人 古怪 童心 章程 游客 石墙 龙年 夏令时 余波 余力 周折 周旋 周边 白费 白云 武断 武器 严谨 严峻 谢谢 谢谢您 谢谢你们 明白 安静 老公 高三 高一 高二 安全感 安全 宁静 言语 康复 明智 段时间 段子 段网恋 温馨 高中生 高中 余光 余生 陈述 空虚感 双性恋 高薪 高峰 明朗 "
    "荣耀 荣誉 荣幸 阳光 阳阳 宝贝 宝宝 安抚 易怒 权衡 康庄 温顺 单恋 单亲 白白 张扬 张口 张开 钱财 安于现状 安康 安然 安慰 安逸 古老 广泛 杜绝 高攀 高潮 高昂 高贵 高雅 高超 高寿 "
    "卡住 温哥华 金字塔 毛驴 毛病 白领 白眼狼 李子 马拉松 马虎 马马虎虎 马上 马屁 马甲 连衣裙 连贯 连续 文明 许诺 许可 许多 成正比 成绩 祝贺 祝福 诸如 别提 敬畏 和善 和睦 "
    "和谐 和好 和平 和解 何必 何况 何谓 何时 何为 何等 何处 黄昏 白天 常常 常见 常规 方向 方便 方法 方面 方式 周末 周围 周全 周详 周转 周到 周期 江湖 江郎才尽 时间 时候 时常 于是 "
    "东方 家里 向前 向来 向往 向上 高兴 高考 高压 高度 高级 高手 高速 强迫 强大 强烈 石头 石沉大海 水平 金钱 金额 金融 金牛 金星 黄金 黄色 曾经 曾几何时 全部 全身 幸福 幸好 幸运 任何 "
    "任务 任性 任由 任凭 任意 万一 万能 关系 关心 关爱 关注 关于 解决 解释 解脱 关键 成长 成功 成熟 成为 乐观 乐趣 乐意 武功 武力 白羊座 杜撰 莫名 莫非 莫大 莫名其妙 易懂 计较 计划 项目 "
    "华丽 花心 花钱 花费 夏天 夏令营 秋天 冬天 雷同 雷区 温柔 温暖 温和 温度 温情 严重 严格 严肃 严厉 严于律己 游戏 游泳 景色 景象 季节 章节 田野 龙卷风 龙虾 叶子 余地 余下 钟爱 钟情 钟头 "
    "丁克 丁点 申请 申请书 申诉 申报 洪水 汤匙 齐全 齐心 贺卡 卢森堡 罗马 罗生门 罗列 罗嗦 沈默 沉默 孔雀 柳树 梁子 唐突 唐诗 唐僧肉 宋词 马路 郑重 郑重其事 胡说 胡思乱想 胡闹 胡乱 胡同 胡子 "
    "林立 林荫 朱砂 伍佰 苏醒 董事 董事会 蒋公 谈心 谈话 贾宝玉 孟婆 熊猫 熊孩子 侯门 秦朝 陈旧 陈年 陈列 陈词滥调 徐徐 王国 王子 王者 王者荣耀 王法 王道 王牌 王八蛋 孙子 孙女 孙媳妇 李代桃僵 杨柳 "
    "吴语 赵本 罗曼 罗曼蒂克 潘多拉 顾虑 顾忌 顾及 顾客 顾问 顾名思义 范围 范畴 范例 汪洋 白痴 白白 尤其 尤为 尤其是 于原生 谷底 谷歌 舒服 舒适 舒心 舒缓 舒畅 舒展 司机 司空见惯 "
    "屈服 屈服于 屈辱 屈从 苗条 苗头 兰花 齐声 葛优 尚且 尚未 祝愿 祝你 祝您 管理 管教 管用 党员 车子 米饭 池塘 甘心 甘愿 古代 辛苦 辛酸 辛勤 麦片 艾滋 艾滋病 沙发 沙滩 蓝色 蒙蔽 陶醉 陶冶 涂抹 "
    "毕业 毕竟 毕业生 毛衣 施加 施展 纪念 纪律 凌晨 凌驾 梅花 贾府 黎明 商量 白富美 高富帅 高冷 高高在上 高级感 高考生 单身狗 左右 左手 左边 安心 安定 安稳 安排 安眠药 安生 安神 安家 简单 欧美 欧洲 "
    "尤物 丁香 江山 江南 金山 龙头 马桶 温泉 石油 许愿 童年 童真 童话 牛奶 牛人 马匹 周五 周一 周二 周三 周四 周六 周日 周天 周年 周岁 张罗 张望 张嘴 张力 张贴 张狂 黄瓜 黄豆 黄牛 黄连 黄毛 林子 林业 秦腔 "
    "戴上 戴眼镜 石化 余额 余味 向往 易经 卓越 卓绝 耿直 焦虑 焦急 焦躁 焦点 焦虑症 欧阳修 申明 申辩 殷切 殷勤 殷实 甄别 覃思 骆驼 阮囊 阎王 阎王爷 柯南 薛宝钗 司马迁 诸葛亮 岳母 岳父 岳父母 岳父岳母 宫颈 宫廷 "
    "苗族 贺岁 汤圆 汤药 鲁莽 鲁迅 翁婿 赖皮 赖床 姜汤 唐朝 唐人街 宋朝 秦始皇 孔子 孟子 孙悟空 猪八戒 唐僧 林黛玉 王熙凤 温水 温饱 温室 温吞 马车 马力 白纸 白日 白日梦 白眼 白费 白搭 白头 白酒 白马王子 白雪公主".split()
)
"""Words that begin like a name, or that jieba takes for one."""

PUBLIC_FIGURES = frozenset(
    "马云 马化腾 马斯克 雷军 任正非 王健林 董明珠 乔布斯 比尔盖茨 刘强东 俞敏洪 罗永浩 李彦宏 张一鸣 周杰伦 林俊杰 陈奕迅 王菲 邓紫棋 薛之谦 李荣浩 毛不易 张学友 刘德华 周星驰 周润发 "
    "郭富城 黎明 张国荣 梅艳芳 邓丽君 王力宏 蔡依林 五月天 张惠妹 孙燕姿 梁静茹 林忆莲 李宗盛 罗大佑 华晨宇 王一博 肖战 蔡徐坤 易烊千玺 王俊凯 王源 鹿晗 吴亦凡 杨幂 赵丽颖 迪丽热巴 杨紫 刘亦菲 章子怡 "
    "范冰冰 巩俐 成龙 李连杰 李小龙 甄子丹 吴京 黄渤 徐峥 沈腾 贾玲 马丽 葛优 姜文 陈道明 胡歌 彭于晏 张艺谋 冯小刚 陈凯歌 姚明 刘翔 李宁 科比 詹姆斯 乔丹 梅西 罗纳尔多 谷爱凌 苏炳添 郎平 张怡宁 "
    "郭德纲 于谦 赵本山 撒贝宁 何炅 谢娜 李佳琦 薇娅 鲁迅 巴金 老舍 冰心 钱钟书 杨绛 金庸 古龙 琼瑶 三毛 余华 莫言 史铁生 路遥 王小波 张爱玲 林徽因 徐志摩 朱自清 沈从文 余秋雨 周国平 毕淑敏 李银河 "
    "武志红 曾奇峰 李子勋 曾仕强 陈海贤 岸见一郎 古贺史健 村上春树 东野圭吾 宫崎骏 弗洛伊德 荣格 阿德勒 马斯洛 罗杰斯 埃里克森 弗洛姆 弗兰克尔 皮亚杰 斯金纳 巴甫洛夫 贝克 艾利斯 伯恩斯 萨提亚 海灵格 欧文亚隆 亚隆 "
    "霍兰德 卡耐基 温尼科特 克莱因 科胡特 鲍比 鲍尔比 安斯沃斯 拉康 班杜拉 塞利格曼 丹尼尔 李白 杜甫 白居易 苏轼 苏东坡 李清照 辛弃疾 陶渊明 王阳明 王维 孔子 孟子 老子 庄子 荀子 诸葛亮 曹操 刘备 关羽 张飞 孙权 周瑜 司马懿 "
    "司马迁 秦始皇 武则天 李世民 朱元璋 康熙 乾隆 曾国藩 林则徐 孙中山 毛泽东 周恩来 邓小平 习近平 江泽民 胡锦涛 温家宝 蒋介石 雷锋 屠呦呦 袁隆平 钟南山 张桂梅 焦裕禄 林黛玉 贾宝玉 薛宝钗 孙悟空 哪吒 武松 祥林嫂 阿甘 阿Q "
    "哈利波特 福尔摩斯 罗密欧 朱丽叶 苏格拉底 柏拉图 亚里士多德 尼采 叔本华 康德 黑格尔 萨特 加缪 卡夫卡 莎士比亚 托尔斯泰 海明威 梵高 贝多芬 莫扎特 爱因斯坦 牛顿 爱迪生 达尔文 霍金 居里夫人 拿破仑 希特勒 丘吉尔 "
    "林肯 华盛顿 特朗普 奥巴马 拜登 普京 耶稣 释迦牟尼 张三 李四 王五 赵六 张三丰 白素贞 许仙 梁山伯 祝英台 牛郎 织女 嫦娥 甄嬛 张无忌 令狐冲 郭靖 黄蓉 杨过 小龙女 韦小宝 唐三藏 宋江 林冲 岳飞 文天祥 花木兰 王昭君 杨贵妃 西施".split()
)

FOREIGN_NAMES = frozenset(
    "杰克 汤姆 玛丽 约翰 露西 艾米 艾米丽 安娜 大卫 迈克 迈克尔 麦克 彼得 莉莉 丽莎 凯文 詹姆斯 罗伯特 琳达 珍妮 杰森 爱丽丝 苏菲 索菲亚 艾玛 奥利维亚 卢卡斯 马克 史蒂夫 托尼 乔治 查理 查尔斯 本杰明 "
    "亚历克斯 亚历山大 安德鲁 安东尼 威廉 丹尼尔 克里斯 克里斯汀 克里斯蒂娜 凯瑟琳 凯特 凯莉 海伦 伊丽莎白 伊莎贝拉 杰西卡 杰西 詹妮弗 瑞秋 莫妮卡 菲比 罗斯 钱德勒 乔伊 艾伦 艾丽斯 艾琳 安妮 安吉拉 安琪拉 "
    "贝蒂 贝拉 布莱恩 卡罗尔 卡尔 塞西莉亚 克莱尔 黛安娜 戴安娜 唐娜 埃里克 艾瑞克 埃米莉 格蕾丝 亨利 哈里 杰夫 杰弗里 杰瑞 吉姆 乔 约瑟夫 朱莉 朱莉娅 朱莉安 凯伦 肯 劳拉 劳伦 丽贝卡 露易丝 玛格丽特 玛莎 玛利亚 玛丽亚 马丁 "
    "马修 马修斯 梅根 梅丽莎 米歇尔 南希 尼克 尼古拉斯 帕特里克 保罗 菲利普 理查德 罗杰 罗莎 露丝 萨拉 莎拉 山姆 塞缪尔 斯蒂芬 史蒂文 苏珊 泰勒 特蕾莎 特丽莎 托马斯 蒂姆 蒂娜 维多利亚 文森特 薇薇安 温蒂 娜塔莎 瓦西里 伊万 谢尔盖 "
    "佐藤 铃木 山田 田中 高桥 由美 美咲 健太 惠子".split()
)
ENGLISH_NAMES = frozenset(
    "Jack Tom Mary John Lucy Amy Emily Anna David Mike Michael Peter Lily Lisa Kevin James Robert Linda Jenny Jennifer Jason Alice Sophie Sophia Emma Olivia Lucas Mark Steve Steven Tony George "
    "Charlie Charles Benjamin Ben Alex Alexander Andrew Anthony William Daniel Chris Christine Christina Catherine Kate Kelly Helen Elizabeth Isabella Jessica Jessie Rachel Monica Ross Joey "
    "Allen Alan Iris Irene Anne Annie Angela Betty Bella Brian Carol Carl Cecilia Claire Diana Donna Eric Grace Henry Harry Jeff Jerry Jim Joe Joseph Julie Julia Karen Ken Laura Lauren Rebecca Louise "
    "Margaret Martha Maria Martin Matthew Megan Melissa Michelle Nancy Nick Nicholas Patrick Paul Philip Richard Roger Rosa Ruth Sara Sarah Sam Samuel Stephen Susan Taylor Teresa Thomas Tim Tina "
    "Victoria Vincent Vivian Wendy Natasha Ivan Sergey Cindy Coco Crystal Daisy Doris Echo Elaine Ella Ethan Evan Fiona Frank Gary Gina Jane Janet Jasmine Jasper Jay Jimmy Johnny Judy Kathy Kitty Leo "
    "Lena Leon Liam Lucia Luke Lynn Maggie Mandy Mia Molly Nina Noah Oliver Oscar Peggy Penny Phoebe Ray Ricky Rita Robin Rose Ruby Ryan Sally Sandy Sean Selina Shirley Sherry Simon Stella Sunny Tracy "
    "Vicky Victor Vivi Winnie Yolanda Yuki Zoe Zoey Bob Bruce Carter Felix Gloria Hannah Ivy Jacky Joyce Kimi Lawrence Lydia Mason Owen Priya Ahmed Mohammed Fatima Carlos Sofia Nathan Tyler Wang Zhang Chen Liu Yang Zhao".split()
)
TRANSLITERATING = frozenset(
    "阿埃艾安奥巴白贝本比彼波伯布查达戴丹德迪蒂杜顿多厄恩尔法菲费佛弗福盖格哈海汉赫亨华怀霍基吉加杰金卡凯科克肯库拉莱兰劳勒雷里利莉丽林琳卢鲁路露伦罗洛玛马麦曼梅米密摩莫默姆穆纳娜奈内尼妮宁诺欧帕佩皮普奇乔切琼若萨塞桑瑟沙莎什"
    "史斯丝森逊俄潘笛苏索塔泰汤特提廷图托瓦万威韦维温沃乌伍西希锡夏谢辛休雅亚扬耶伊英尤约泽詹珍朱兹佐登瑞黛蕾薇翰烈迈弥"
)
LATIN_STOP = frozenset(
    "qq app ppt excel word ok pua vip ceo hr it ktv emo npd adhd ptsd ocd mbti infp infj intj intp enfp enfj esfp isfj cbt dbt gpa ptsd tv pc id ai ip dna nba pk vs diss cp up mc dj ui pm kpi offer gap "
    "boss bug ted iq eq hello hi yes no not sorry very so just fine good tired sad here going trying feeling afraid from in at really always still glad happy old new the a an also being having getting doing sure ready ok lonely anxious depressed worried scared lost single married".split()
)
POPULAR_GIVEN = frozenset(
    "梓涵 子涵 子轩 雨桐 欣怡 浩宇 思远 佳琪 一诺 宇航 诗雨 可馨 俊熙 若曦 亦凡 晨曦 雅静 语嫣 天佑 皓轩 紫萱 沐阳 昕怡 艺馨 博文 嘉怡 奕辰 梦瑶 芷若 泽宇 露露 莎莎 翠花 秀兰 桂英 国强 建军 卫东 爱华 新宇 "
    "梓萱 梓轩 子墨 子豪 子睿 子萱 子怡 子晴 雨涵 雨欣 雨晴 雨萱 雨彤 欣妍 欣然 欣悦 浩然 浩轩 浩天 思涵 思雨 思琪 思源 思彤 佳怡 佳慧 佳欣 佳宁 一鸣 一凡 一帆 一涵 一菲 宇轩 宇辰 宇涵 诗涵 诗琪 诗瑶 诗怡 可欣 可儿 可心 可可 "
    "俊杰 俊豪 俊宇 俊峰 俊凯 俊辉 若涵 若彤 若琳 若兰 若溪 亦菲 亦辰 亦涵 晨阳 晨曦 晨熙 雅婷 雅琪 雅文 雅雯 语桐 语涵 语晨 语彤 天宇 天昊 天翔 天乐 天成 皓宇 皓天 皓月 紫涵 紫怡 沐宸 沐辰 沐晨 沐瑶 昕悦 昕彤 艺涵 艺萌 "
    "博宇 博雅 博涛 博远 嘉豪 嘉欣 嘉琪 嘉诚 嘉宁 奕涵 奕宸 奕然 梦洁 梦琪 梦婷 梦瑶 梦佳 梦雪 芷涵 芷晴 芷萱 泽轩 泽楷 泽洋 婷婷 丽丽 娜娜 菲菲 倩倩 圆圆 媛媛 琳琳 玲玲 芳芳 莉莉 静怡 静雯 静雅 怡然 怡宁 怡君 晓明 晓东 晓华 "
    "晓燕 晓丽 晓红 晓玲 晓芳 晓敏 晓雯 晓彤 晓峰 晓光 志强 志明 志伟 志刚 志远 志勇 志华 志鹏 建国 建华 建平 建民 建新 建明 建伟 建设 国庆 国华 国栋 国平 国良 文博 文静 文杰 文轩 文彬 文华 文强 文娟 海燕 海涛 海波 海峰 海洋 永强 永红 永刚 "
    "卫国 卫红 卫平 爱国 爱民 爱红 爱玲 红梅 红霞 红艳 春梅 春燕 春花 春生 秋菊 秋月 冬梅 冬冬 秀英 秀珍 秀芳 秀丽 秀梅 桂兰 桂芳 桂花 桂珍 玉兰 玉珍 玉梅 玉华 玉兰 淑珍 淑芬 淑英 淑华 凤英 凤兰 素芬 素珍 大鹏 大伟 大勇 大明 小龙 小红 小燕 "
    "小英 小刚 小军 小平 小东 小波 小敏 小丽 少华 少杰 少军 世杰 世豪 振华 振宇 振东 正阳 正宇 明辉 明轩 明明 明杰 明华 明月 鹏飞 鹏程 鹏宇 家豪 家明 家辉 家琪 家宝 家伟 家俊 新华 新强 新民 金凤 金龙 金花 立新 立军 立强 立华 学文 学军 学明 "
    "书瑶 书涵 书豪 书宇 书恒 心怡 心妍 心悦 心语 心如 安琪 安然 安妮 安娜 静静 乐乐 乐瑶 乐怡 晴晴 萌萌 悦悦 悦然 然然 涵涵 涵宇 萱萱 轩轩 睿涵 睿轩 睿哲 铭泽 铭轩 铭宇 锦程 锦涛 君浩 君怡 俊逸 逸飞 逸凡 逸轩 逸晨 致远 景行 清扬 清雅 冰冰 冰洁 雪梅 雪莹 雪婷 飞飞 云飞 云龙 云霞 雨薇 雨柔 雨菲 雨泽".split()
)
"""Given names so common, most of them among those born after 1990, that their characters need no count."""
