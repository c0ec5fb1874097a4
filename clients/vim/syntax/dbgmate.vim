" The answers of dbgmate: reports, and layouts in both forms.

if exists('b:current_syntax')
  finish
endif

syntax match dbgmateRank    /^\(THIS IS IT\|CONSISTENT WITH\|SAME SYMPTOM\)\>/
syntax match dbgmateHeading /^  [a-z][^(]*/
syntax match dbgmateLines   /^    \(\S.\{-} \)\?lines\? \d\+\(-\d\+\)\?/
syntax match dbgmateAsk     /^    \[[ x]\] print .*/
syntax match dbgmateRemark  /^dbgmate: .*/
syntax match dbgmateTry     /^  try: .*/
syntax match dbgmateOffset  /=> \zs.*/
syntax match dbgmateFrame   /^#\d\+\s*\(0x\x\+ in \)\?/
syntax match dbgmatePlace   / at \zs\f\+:\d\+\(:\d\+\)\?/
syntax match dbgmateDoubt   /\[\(probable\|possibly after a tail call\|implausible: [^]]*\)\]/
syntax region dbgmateComment start=+/\*+ end=+\*/+ oneline

highlight default link dbgmateRank    Todo
highlight default link dbgmateHeading Title
highlight default link dbgmateLines   Identifier
highlight default link dbgmateAsk     Special
highlight default link dbgmateRemark  Comment
highlight default link dbgmateTry     Special
highlight default link dbgmateOffset  Number
highlight default link dbgmateFrame   Comment
highlight default link dbgmatePlace   Identifier
highlight default link dbgmateDoubt   WarningMsg
highlight default link dbgmateComment Comment

let b:current_syntax = 'dbgmate'
