"""What speaks for which act in an English sentence: the evidence that `acts.classifier` weighs.

"Must" and "should" before a feeling are guesses or comfort (that must hurt, you should be proud);
before an action they direct. Transcribed speech comes without punctuation, so a sentence may be a
whole turn: what it does is then what most of its evidence says.

Patterns see what `acts_en.prepare` makes of a sentence; the format is that of `acts.read_rules`.
"""

WORDS = r"""
ADV
    (?:really |probably |also |just |definitely |maybe |perhaps |always |still |even |then |only |
    certainly |kind of |sort of |now |already |first |both |simply |actually )*
VERY
    (?:so |very |really |pretty |quite |incredibly |extremely |too |such |such a |absolutely |
    a bit |a little |kind of |sort of |deeply |particularly |completely |totally |all |more |both )*
HARD
    (?:hard|difficult|tough|rough|painful|exhausting|overwhelming|frustrating|scary|frightening|
    stressful|upsetting|devastating|heartbreaking|challenging|confusing|lonely|hurtful|awful|
    terrible|horrible|draining|discouraging|disappointing|intense|unfair|daunting|uncomfortable|
    heavy|isolating|embarrassing|tiring|a lot)
FEELING
    (?:sad|hurt|angry|upset|anxious|afraid|scared|worried|stressed|frustrated|overwhelmed|exhausted|
    tired|lonely|alone|hopeless|helpless|guilty|ashamed|embarrassed|disappointed|depressed|confused|
    lost|stuck|torn|nervous|concerned|devastated|heartbroken|unsure|uncertain|ambivalent|
    discouraged|drained|down|insecure|rejected|betrayed|grieving|worthless|numb|trapped|conflicted|
    unhappy|terrified|resentful|relieved|hopeful|motivated|excited|uncomfortable|unheard|
    misunderstood|unappreciated|powerless|defeated)
GOOD
    (?:great|awesome|wonderful|fantastic|amazing|excellent|impressive|good|lovely|brilliant|
    terrific|admirable|exciting|a big step|a huge step|a great step|a good decision|a good idea|
    a great idea|a good start)
STRONG
    (?:strong|brave|courageous|resilient|amazing|capable|smart|intelligent|kind|caring|thoughtful|
    dedicated|committed|hardworking|determined|responsible|insightful|worthy|worthwhile|enough|
    a good|a great|a strong|a loving|loving|motivated|aware|good at|doing great|doing well|
    doing your best|doing the best|doing a|trying your best|trying so hard)
DIRECT
    (?:try(?!ing)|consider|take (?!care)|talk (?!about|to me)|speak|reach out|write|make sure|
    make (?:a|an|some|time|yourself)|set|start|stop|avoid|focus|practice|practise|keep (?!it up)|
    give (?:yourself|him|her|them|it)|let (?:yourself|go|him|her|them)|be (?:kind|patient|gentle|
    honest|careful|sure|open|mindful|clear|proactive)|remember to|never|go (?!on)|get (?!well)|find|
    ask|tell (?!me)|call|use|think (?:about|of)|look (?:for|at|into|up)|join|allow yourself|spend|
    schedule|limit|break|breathe|drink|eat|sleep|exercise|walk|listen|put|turn|pick|choose|create|
    list|identify|plan|seek|visit|see (?:a|your|if)|read|learn|work on|accept|forgive|
    remind yourself|surround|engage|change|replace|cut|share (?!more)|check|wait|hold|bring|express|
    treat|challenge|notice|pay attention|reduce|increase|stay|leave|do (?:something|some|a|one|
    things|not (?!worry|feel|be|blame|cry|beat|give up|hesitate|know|think|have|need|want|like|see|
    you))|imagine|picture|acknowledge|set aside|stick|show (?!me)|follow|meet|sit|journal|note down|
    record|track|rest|say (?!more)|reach|aim|begin|switch|incorporate|contact)
DISMISSAL
    (?:plenty of people have it worse|(?:you are )?(?:just )?making excuses|quit (?:whining|
    complaining|crying|moping)|it is not that bad|you will get over it|just a phase|
    do not (?:be (?:so )?(?:sad|upset|dramatic|silly)|cry|overthink|think (?:too much|about it|
    so much)|make a fuss)|cheer up|get over it|calm down|(?:it is |that is )?(?:not|no) (?:a |
    such a |that )?big (?:a )?deal|snap out|look on the bright side|(?:others|other people|
    some people) have it (?:much )?worse|(?:it )?(?:could|might) be worse|just relax|get a grip|
    toughen up|man up|suck it up|move on|stop (?:crying|whining|complaining|overthinking)|
    you are (?:overreacting|too sensitive|being dramatic)|it is (?:nothing|all in your head)|
    (?<=, )let it go(?= ,)|just be happy|be strong)
"""

ADVICE = r"""
suggest: advice 3.0
    \bi (?:would |do |really |also |just |strongly |highly |might |want to |will |can )*(?:suggest|
    recommend|advise|encourage|urge)\b|\bmy (?:advice|suggestion|recommendation)\b|(?:would|
    highly) (?:suggest|recommend)|\bi (?:would like|want|need) you to (?!know)
should: advice 2.6
    (?<!whether )(?<!if )(?<!\bdo )\byou {ADV}(?:should|ought to|had better|need to|have to|must|
    have got to|(?:are going|will want|will need|will have) to|(?:might|may) (?:want to|need to)|
    want to make sure)(?! {ADV}(?:be (?:proud|exhausted|feeling|so |very |really |{FEELING})|feel|
    (?:never )?have (?:felt|been|had|gone|seen|lost|loved)|not have to|do so much|work so|love|miss|
    care (?:a lot|so)|deal|go through|put up|endure|suffer|
    face|carry|cope))
could: advice 2.2
    \byou (?:could|might|may) {ADV}(?!use (?:a|some) (?:friend|hug|break|rest|hand)|be |feel|
    have (?:been|felt|had|to|done)|not |hear|see that|
    tell that|say|want|need|find yourself|experience|notice that|think that|wonder|end up|
    imagine)[a-z]+
can: advice 1.6
    \byou can {ADV}(?:try|take|use|ask|start|write|talk (?!to me)|practice|find|do (?:to|is|some)|
    look|make (?:a|an|some|time|sure)|set|call|reach out to (?!me)|consider|join|go|see a|work|
    choose|speak|keep|create|begin|also|schedule|focus|learn to|limit|express|let (?!me))
imperative: advice 2.0
    (?:, |, (?:maybe|perhaps|possibly) )(?:please |just |simply |always |do |go ahead and |
    if 〇 , (?:please |just )?)*{DIRECT}\b
try: advice 1.3
    \btry(?:ing)? (?:to |out |a |an |some |the |again|and |this |it |[a-z]+ing )
why-not [tentative]: advice 2.4, question -1.5
    \bwhy (?:do not|not) (?:you|we|try|take|go|ask)|\bhow about (?:you |we |try|[a-z]+ing)|
    \bwhat about (?:try|[a-z]+ing)|\b(?:maybe|perhaps) (?:try|take|start|talk|ask)|\bwhat if you
have-you-tried [tentative]: advice 2.5
    \bhave you (?:ever |also |already )?(?:tried|considered|thought (?:about|of) (?!how|what|why|
    any))|\bwould you (?:be (?:willing|open|interested|able)|consider|like to try)|
    would that be something
dressed: advice 2.4, empathy -1.8
    \b(?:understand|understandable|i hear|i know|sounds?|sorry|i get|
    feel for)\b.{0,60} , (?:i think )?(?:you {ADV}(?:should|
    need to|have to|must|ought to|can not keep|better)(?! {ADV}(?:be (?:proud|{FEELING})|feel|have|
    not))|(?:please |
    maybe |just )?(?:try|take|call|see|talk|go|leave|stop|get|let) )|\bbut (?:you need to|
    you should|you have to|try)\b
high-time: advice 1.8
    \bit is (?:about |high )?time (?:to|for you to|you)\b
if-i-were: advice -2.0, empathy 2.2
    (?:if i were you|in your (?:place|shoes|position)) (?:〇 , )?,? ?i would (?:also |
    probably )*(?:be|feel) {VERY}(?:{FEELING}|
    {HARD}|furious|devastated|mad)|if 〇 , i would (?:also |probably )*(?:be|
    feel) {VERY}(?:{FEELING}|furious|mad|livid)
burden: empathy 1.8, advice -2.2
    \byou (?:always|constantly|still|are the one who|never get to rest and) (?:have|had|need) to\b
option: advice 1.6
    \b(?:one|another|other|best|first|next) (?:good |great |possible |helpful |simple )?(?:option|
    thing|idea|way|strategy|technique|approach|suggestion|step|tip)s?\b[^,]{0,40}\b(?:is|are|could|
    would|might|can|to)\b
helpful: advice 1.5
    \b(?:might|may|could|would|can|will) (?:also |really |actually )?(?:be|feel) (?:very |more |
    really |a )*(?:helpful|useful|worth|good|beneficial|great|best|wise|easier|better)|\b(?:might|
    may|could|would|can|will|should) (?:also |really |actually )?help (?!me)|worth (?:trying|
    [a-z]+ing)
important: advice 1.8
    \bit is (?:also |always |very |really |so |just |probably )*(?:important|crucial|essential|best|
    necessary|better|vital|a good idea|helpful|useful|healthy|worth) (?:to|for you to|for us to|
    that (?:you|we)|just to|not to)|\bthe (?:best|first|important|main) thing\b
make-sure: advice 1.4
    \b(?:make sure|be sure to|keep in mind|bear in mind|do not forget|remember to|
    let (?:your doctor|him|her|them) know)\b
lets [collaborative]: advice 1.2
    \blet us (?!talk|explore|look|see|continue|discuss|start there)|\bwe (?:need to|have to|should|
    could|can) (?:try|set|start|work on|make|plan|use|think about|avoid)
plan: advice 0.8
    \b(?:homework|goals?|plan(?:ning)?|schedule|appointment|follow up|strateg(?:y|ies)|techniques?|
    steps|options?|exercises?|coping|alternatives?|next session|therapist|counsell?or|professional|
    doctor|support group|hotline)\b
instead: advice 0.5
    \b(?:instead of|rather than|such as|once a|twice a|every (?:day|night|morning|week)|a day|
    minutes)\b
item: advice 0.5
    \A#
forbid [prohibitive]: advice 2.2
    , (?:please |just |and )*(?:do not|never|stop [a-z]+ing|avoid)\b(?! (?:worry|feel|be (?:sad|
    so hard|too hard|hard|ashamed|afraid|scared|sorry|upset|discouraged|embarrassed)|blame|cry|beat|
    give up|hesitate|lose|apologi[sz]e))(?! (?:know|think|have|need|want|like|see|you)\b)|
    \byou {ADV}(?:should not|must not|can not keep|ought not)(?! (?:have to|feel|be (?:treated|
    blamed|made|going|ashamed)|blame))
conditional: advice 0.2
    if 〇
"""

EMPATHY = r"""
understand: empathy 2.5
    \bi (?:can |could |really |totally |completely |do |definitely |fully |certainly |also |
    can only )*(?:understand|get|hear|imagine|relate|empathi[sz]e|see|feel (?=for you|
    your))(?: ?(?:for|why|how|that|what|you|your|where|it|completely|this|with|the))|\bi (?:really |
    totally |completely |do )*(?:understand|hear you|get it|empathi[sz]e) ,
i-know: empathy 1.6
    \bi know (?:how|that|this|it|you|what)|\bi am (?:here|with you)
not-understand: other 2.6, empathy -2.8
    \bi (?:do not|did not|am not sure i|can not) (?:really |quite |fully )*(?:understand|follow|get|
    know what)
sounds: empathy 2.5
    (?<!does )\b(?:it|that|this|you|things?|which|he|she|,) {ADV}(?:sounds?|seems?|seem|looks|
    feels) (?:like|as if|as though|{VERY}(?:{HARD}|{FEELING}|[a-z]+(?:ing|ed)))|\bhearing (?:you|
    this|that|is)|\bi hear (?:you|that)|\byou (?:really |still )?seem|seems to me|, (?:sounds|seems|
    looks) like|sounds {VERY}{HARD}
must: empathy 2.4
    \b(?:must|might|may|can|could|would) (?:all |really |also |have )*(?:be feeling|be|feel|been|
    felt|seem) {VERY}(?:{HARD}|{FEELING})\b|\b(?:that|it|this|things) must\b|\byou must (?:be|feel|
    have (?:been|felt|had|gone|loved))
no-wonder: empathy 2.4
    \bno wonder|makes (?:perfect |total |complete |a lot of )?sense|not surpris|anyone (?:would|
    in your)|who would not
valid: empathy 1.9
    \b(?:understandable|valid|natural|normal|reasonable|legitimate|common)\b(?! (?:saline|weight|
    range))|not (?:uncommon|unusual|alone|crazy|weird|weak)|(?:okay|ok|all right|alright|
    fine) (?:to (?:feel|be|not|cry|have|take|need)|that you|if it|if you)
many-people: empathy 1.1
    \b(?:many|lots? of|most|plenty of|other) people\b|\beverybody|\beveryone (?:has|feels|goes|
    makes|does|struggles)|we have all|\bwe all\b|people (?:feel|go through|struggle)
not-fault: empathy 2.8
    (?:not|never|is not|was not) (?:all )?your fault|not to blame|did(?: not do|
    nothing) (?:anything )?wrong|nothing wrong with you|should (?:not|never) have (?:had )?to|
    should not (?:be treated|
    be made|feel|blame|be blamed)
sorry: empathy 2.4
    \bi am {VERY}sorry\b|\bsorry (?:to hear|that|you|for|about)|my (?:heart|condolences|sympathies)
deserve: empathy 1.8
    \byou (?:really |truly |do |also )*deserve|\byou should (?:be|feel) {VERY}(?:proud|good|happy)
hard: empathy 1.1
    \b(?:is|are|was|been|be|feels?|how|so|really|very|this|pretty|can be) {HARD}\b|not easy|
    hard for you|tough (?:time|spot|situation|place)|a lot (?:on your|to (?:deal|carry|handle))
praise: empathy 1.8
    \bproud of you|good for you|(?:great|good|nice|amazing) (?:job|work|going|thinking)|well done|
    congrat|kudos|impressed|\byou (?:are|have been|have|were|did) (?:already |obviously |clearly |
    really |so |very |such |both |doing |an? |become |shown |made |taken |put )*(?:{STRONG}|
    progress|steps|a lot of thought|insight|the strength|come a long way|grown)\b|
    \byour (?:strength|courage|resilience|commitment|willingness|effort|honesty|openness|
    determination|dedication|bravery)|\bi (?:really |truly |do |just )*(?:admire|appreciate|applaud|
    respect|commend|value) (?:you|that|how|this)|it (?:takes|shows) (?:a lot of )?(?:courage|
    strength)
that-is-good: empathy 0.9
    \b(?:that|it|this) is {VERY}{GOOD}|glad (?:to|that|you|it)|happy (?:to hear|for you|that)|
    love (?:that|how|your)|, (?:great|awesome|wonderful|excellent|nice) ,
reassure: empathy 2.2
    \byou (?:can|will|are going to|have got|got) (?:definitely |totally |certainly |
    absolutely )?(?:do (?:this|it)|get through|make it|be (?:ok|okay|fine|all right|alright|able)|
    handle|overcome|succeed|come through|feel better|get there|this)|believe in you|(?:it|things|
    this) will (?:all )?(?:be (?:ok|okay|fine|all right)|get better|pass|work out)|hang in there|
    \bi (?:am|will be) (?:always )?(?:here|there) (?:for|with|to listen)|not alone|\bhope (?:things|
    you feel|it|that you|you find|everything|you have)|good luck|best of luck|best wishes|\bhugs?\b|
    care about you|take care|do not worry|no worries|have faith|there is hope|have confidence in you
no-need: empathy 2.2
    \byou (?:really |certainly )?(?:do not (?:have|need) to|need not|would not have to)\b|
    \bthere is no (?:need|rush|pressure|shame|right|wrong)|no pressure|take your time|no shame
console: empathy 1.8
    \bdo not (?:feel (?:bad|guilty|ashamed)|be (?:so |too )?(?:hard on|ashamed|afraid|scared|
    embarrassed|discouraged)|blame yourself|beat yourself|give up|lose hope)
reflect: empathy 1.2
    , (?:it is like |on the one hand |in a way |sort of |kind of |that )*you (?:are|have|feel|felt|
    want|wanted|do not|did not|would|know|were|had|think|like|love|enjoy|value|really|also|still|
    just|keep|get|got|decided|tried|hope|wish|worry|care|see|thought|got|found|started|can not|
    could not|look|find)\b(?! (?:to (?:try|talk|see a)|welcome|considered|tried|going to (?:want|
    need|have)))
about-you-later: empathy 0.4
    ., [^,?]{0,24}\byou (?!{ADV}(?:should|could|can|may|might|must|need|have to|ought|will|
    want to)\b)[^?]*\Z
about-you: empathy 0.9
    \A#?, (?:[a-z]+ly )?your? (?!{ADV}(?:should|could|can|may|might|must|need to|have to|ought|
    will (?:want|need)|want to make|are welcome|had better)\b)[^?]*\Z
habit: empathy 1.2, advice -2.4
    (?:every|each) time you|whenever you
you-feel: empathy 1.2
    \byou (?:really |are |were |have |do |also |still |just |sort of |kind of )*(?:feel|felt|
    feeling|want|wanted|wanting|value|care|believe|wish|love|enjoy|struggl|trying|worried|afraid|
    concerned|anxious|angry|thinking about|looking forward|{FEELING})\b(?! to (?:make sure|try))
makes-you: empathy 1.3
    \b(?:makes?|made|making|leaves?|left|leaving|causing|cause) you (?:to )?(?:feel|very|so|really|
    {FEELING})|has {ADV}been {VERY}{HARD}
two-sided: empathy 1.1
    on (?:the )?one hand|on the other hand|part of you|mixed feelings|at the same time|but you also|
    yet you|even though you|and yet|balance
feeling: empathy 0.4
    \b(?:{FEELING}|feelings?|pain|stress|anxiety|grief|anger|fear|worry|frustration|struggle|
    pressure|loss)\b
for-you: empathy 0.7
    (?:important|matters?|mean(?:s|t)?|hard|difficult|new|value|real) (?:a lot )?(?:to|for) you\b|
    your (?:feelings|values|needs|experience)\b
reported: empathy 1.0, advice -0.3
    you reported 〇
thanks-trust: empathy 1.1
    thank(?:s| you) (?:so much )?for (?:sharing|telling|trusting|being|opening|your)|
    appreciate (?:you|your) (?:sharing|telling|being|honest|bring|patience|willing)
"""

OTHER = r"""
question-mark: question 3.0
    \?\Z
question-clause: question 1.4
    (?:, |\b(?:and|so|but|okay|well|great|good|then|about it|right) )(?:what|how|why|when|where|who|
    which|do you|did you|have you|are you|is there|are there|is it|is that|can you|could you|
    would you|does (?:that|it|this)|is this|would that|were you|was it|has (?:that|it))\b
tell-me: question 2.8, advice -1.0, empathy -0.8
    \b(?:can|could|would) you (?:please )?(?:tell|describe|share|clarify|say (?:a little )?more|
    explain|give me|walk me|help me understand)|tell me (?:more|about|a little|a bit|what|how|why)|
    talk to me about|\bi am (?:wondering|curious)|\bi wonder|\bi would (?:be wondering|
    like to (?:ask|know|hear))|let us talk (?:a (?:little|bit) )?(?:more )?about
tag: question -2.4, empathy 0.6
    (?:is that (?:right|correct|accurate|it|what)|, right|am i (?:right|understanding|hearing)|
    did i get that|does that sound right|is that how|correct|have i got that|right) ,? ?\??\Z
proposal-check [permission]: advice 1.2, question -0.8
    (?:how do(?:es)? (?:that|this|these)[^,]{0,20} sound|would you be (?:willing|open|interested)|
    what do you think about (?:try|that)|is that something|does that sound (?:like|good|okay)|
    sound good|would that (?:be|work|help)|something you (?:would|might|could|think)|if it is okay|
    is it okay if) .{0,80}\Z
greeting: other 2.2
    \A#?, (?:hello|hi|hey|thank(?!(?:s| you) (?:so much )?for (?:shar|tell|trust|be|open|your))|
    welcome|nice to meet|good(?:bye| morning| afternoon| evening)|you are welcome|no problem|okay ,|
    ok ,|sure ,|yes ,|bye)
information: other 1.0, advice 0.5, empathy -0.4
    \b(?:symptoms?|research|stud(?:y|ies)|cognitive|the (?:body|brain)|caused by|refers to|
    defined as|typically|usually|generally|percent|called|known as|a type of|disorder|blood sugar|
    insulin|guidelines|medications?|side effects?|according to|risk of|can (?:lead|cause|result|
    have|affect))\b|, (?:[a-z]+ ){1,4}(?:is|are) (?:a|an|one of|when)\b
others-said: other 0.8
    (?<!you )reported 〇
third-person: other 0.8
    \A#?, (?:he|she|they|people|some people|the|this|these|those|your (?:mother|father|mom|dad|
    husband|wife|partner|boss|friend))\b
self: other 1.5, empathy -0.3
    \b(?:when i was|i (?:also |once |myself |used to |have also |too )(?:was|had|went|been|
    struggled|felt|experienced)?|my own|in my (?:experience|case)|i am (?:a|your|dr)\b|my (?:friend|
    mom|dad|sister|brother|husband|wife|name))
offer: other 1.5, advice 0.3, empathy -0.3
    \bi (?:can|will|could|would (?:like|love) to|am going to|am happy to|
    would be happy to) (?:also )?(?:help|give|show|send|call|ask|go|discuss|provide|explain|share|
    see|talk|continue|do)|\bwe (?:will|can|could|are going to) (?:also |always )?(?:talk|discuss|
    explore|look|figure|continue|go over|think)|let us (?:talk|explore|look|see|continue|discuss)|
    feel free
together [collaborative]: other 1.2, advice -0.6
    \bwe (?:can|could|will) (?:\w+ ){0,4}together|\btogether\b.{0,20}\b(?:we|us)\b
dismissive-only [dismissive]: other 2.6, advice -2.2, empathy -2.0
    \A#?, (?:{DISMISSAL}(?: \w+){0,4} , ?)+\??\Z
dismissive [dismissive]: other 0.5, advice -0.6
    \b{DISMISSAL}\b
hedged [tentative]:
    \b(?:maybe|perhaps|might|(?<!it )could(?! (?:not|barely|hardly|be (?:worse|feeling)|even|hear|
    lose|see that|feel|tell))|possibly|try|i wonder|
    i am wondering|consider)\b
asking-leave [permission]:
    \b(?:is it okay|would it be (?:okay|all right|alright)|may i|do you mind|with your permission)\b
we [collaborative]:
    \blet us\b|\bwe\b[^,]{0,30}\btogether\b|\btogether we\b
"""
