" How does a question get to dbgmate, and its answer into a window?
"
" The program is started with a list of arguments, never through a shell, and runs beside Vim. What
" it prints fills the one window `[dbgmate]`. Rule: nothing is computed here.

let s:cpo = &cpo
set cpo&vim

" The buffer of the window, wiped when the window closes.
let s:buffer = -1
" The last question asked: the answers to earlier ones are no longer wanted.
let s:job = v:null

" Where the members of a type are; without a type, of the one under the cursor.
function! dbgmate#offsets_of(type, layout) abort
  let type = a:type ==# '' ? s:type_at_cursor() : a:type
  if type ==# ''
    return s:complain('there is no name under the cursor: try :OffsetsOf struct foo')
  endif
  let arguments = ['offsets-of'] + (a:layout ? ['--layout'] : []) + s:binaries()
  call s:ask(arguments + ['--', type], {'in_io': 'null'}, {})
endfunction

" Which known bug the lines of this buffer show.
function! dbgmate#triage(first, last) abort
  call s:ask_of_lines('triage', a:first, a:last)
endfunction

" The lines of this buffer with functions and source lines filled in.
function! dbgmate#symbolize(first, last) abort
  call s:ask_of_lines('symbolize', a:first, a:last)
endfunction

" Goes to what the line under the cursor speaks of: the source line of a frame, `at src/a.c:12:3`, or
" the lines of the trace, `lines 12-13  assertion …`.
function! dbgmate#jump() abort
  let place = matchlist(getline('.'), '\v at (\f+):(\d+)%(:\d+)?%(\s|$)')
  if !empty(place)
    return s:open_source(place[1], place[2])
  endif
  let line = matchstr(getline('.'), '\v<lines? \zs\d+')
  let source = get(b:, 'dbgmate_source', {})
  if line ==# '' || empty(source)
    return s:complain('this line of the answer names no line to go to')
  endif
  if !bufexists(source.buffer)
    return s:complain('the buffer with the trace is gone')
  endif
  if !win_gotoid(bufwinid(source.buffer))
    execute 'aboveleft sbuffer' source.buffer
  endif
  call cursor(source.first + line - 1, 1)
  normal! zvzz
endfunction

function! s:open_source(file, line) abort
  if !filereadable(a:file)
    return s:complain(a:file . ' is not here')
  endif
  if winnr('$') > 1
    wincmd p
  endif
  execute 'edit +' . a:line fnameescape(a:file)
  normal! zvzz
endfunction

" `struct foo`, `ns::Foo`, `foo_t`: the type's name under the cursor, or the next one on the line.
function! s:type_at_cursor() abort
  let name = '\v<%(%(struct|union|enum|class)\s+)?\h\w*%(::\h\w*)*'
  let end = 0
  while end >= 0
    let [type, _, end] = matchstrpos(getline('.'), name, end)
    if end >= col('.')
      return substitute(type, '\s\+', ' ', '')
    endif
  endwhile
  return ''
endfunction

" Asks about lines of this buffer. What is looked for in binaries is looked for in those set, too.
function! s:ask_of_lines(subcommand, first, last) abort
  if bufnr() == s:buffer
    return s:complain('this is an answer: go to the window with the trace')
  endif
  let lines = {'in_io': 'buffer', 'in_buf': bufnr(), 'in_top': a:first, 'in_bot': a:last}
  call s:ask([a:subcommand] + s:binaries(), lines, {'buffer': bufnr(), 'first': a:first})
endfunction

function! s:binaries() abort
  let arguments = []
  for binary in get(g:, 'dbgmate_binaries', [])
    let arguments += ['--binary', expand(binary)]
  endfor
  return arguments
endfunction

" Starts the program; `input` says where its standard input comes from, `source` what its line
" numbers count from.
function! s:ask(arguments, input, source) abort
  let program = expand(get(g:, 'dbgmate_program', 'dbgmate'))
  if !executable(program)
    return s:complain('there is no program `' . program . '`: put it on PATH, or set g:dbgmate_program')
  endif
  if s:job isnot v:null
    call job_stop(s:job)
  endif
  let answer = {'results': [], 'remarks': [], 'source': a:source}
  let handlers = {
        \ 'out_cb': {_, line -> add(answer.results, line)},
        \ 'err_cb': {_, line -> add(answer.remarks, line)},
        \ 'close_cb': {channel -> s:answered(channel, answer)},
        \ }
  let options = extend(handlers, a:input)
  let s:job = job_start([program, '--color', 'never'] + a:arguments, options)
  call s:open()
  call s:fill(['…'], {})
endfunction

function! s:answered(channel, answer) abort
  if ch_getjob(a:channel) isnot s:job
    return
  endif
  let s:job = v:null
  call s:fill(a:answer.results + a:answer.remarks, a:answer.source)
endfunction

" Shows the window, and leaves the cursor where it is.
function! s:open() abort
  if bufwinid(s:buffer) != -1
    return
  endif
  let window = win_getid()
  if bufexists(s:buffer)
    execute 'silent keepalt botright sbuffer' s:buffer
  else
    silent keepalt botright new
    let s:buffer = bufnr()
    silent keepalt file [dbgmate]
    setlocal buftype=nofile bufhidden=wipe noswapfile nobuflisted nomodifiable undolevels=-1
    setlocal nowrap nospell nonumber norelativenumber nolist filetype=dbgmate
    nnoremap <buffer> <silent> <CR> :<C-U>call dbgmate#jump()<CR>
    nnoremap <buffer> <silent> <nowait> q :<C-U>close<CR>
  endif
  call win_gotoid(window)
endfunction

" Puts lines into the window, unless it was closed meanwhile.
function! s:fill(lines, source) abort
  if !bufexists(s:buffer)
    return
  endif
  call setbufvar(s:buffer, 'dbgmate_source', a:source)
  call setbufvar(s:buffer, '&modifiable', 1)
  silent call deletebufline(s:buffer, 1, '$')
  call setbufline(s:buffer, 1, a:lines)
  call setbufvar(s:buffer, '&modifiable', 0)
  for window in win_findbuf(s:buffer)
    call win_execute(window, 'normal! gg0')
  endfor
endfunction

function! s:complain(sentence) abort
  echohl ErrorMsg
  echomsg 'dbgmate: ' . a:sentence
  echohl None
endfunction

let &cpo = s:cpo
unlet s:cpo
