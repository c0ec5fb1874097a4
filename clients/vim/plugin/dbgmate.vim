" dbgmate in Vim: :OffsetsOf, :Symbolize and :Triage. See :help dbgmate.

if exists('g:loaded_dbgmate') || v:version < 900 || !has('job')
  finish
endif
let g:loaded_dbgmate = 1

let s:cpo = &cpo
set cpo&vim

command! -bang -nargs=* OffsetsOf call dbgmate#offsets_of(<q-args>, <bang>0)
command! -range=% Symbolize call dbgmate#symbolize(<line1>, <line2>)
command! -range=% Triage call dbgmate#triage(<line1>, <line2>)

" No keys are taken: :help dbgmate-mappings shows how to give some.
nnoremap <silent> <Plug>(dbgmate-offsets-of) :<C-U>OffsetsOf<CR>
nnoremap <silent> <Plug>(dbgmate-symbolize) :<C-U>Symbolize<CR>
xnoremap <silent> <Plug>(dbgmate-symbolize) :Symbolize<CR>
nnoremap <silent> <Plug>(dbgmate-triage) :<C-U>Triage<CR>
xnoremap <silent> <Plug>(dbgmate-triage) :Triage<CR>

let &cpo = s:cpo
unlet s:cpo
