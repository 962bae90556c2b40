// CodeMirror with Trino's words, names of the catalog, and errors marked where they are.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type Completion, type CompletionSource } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { keywordCompletionSource, schemaCompletionSource, sql, SQLDialect } from '@codemirror/lang-sql'
import { HighlightStyle, bracketMatching, syntaxHighlighting } from '@codemirror/language'
import { lintGutter, setDiagnostics } from '@codemirror/lint'
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search'
import { Compartment, EditorState, Prec } from '@codemirror/state'
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers, placeholder } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useRef } from 'react'

const trino = SQLDialect.define({
  keywords:
    'all alter and any array as asc between by call case cast catalogs columns commit create cross cube current_date current_time current_timestamp date day deallocate default delete desc describe distinct distributed drop else end escape except execute exists explain extract false fetch filter first following for from full functions grant group grouping having hour if ignore in inner insert intersect interval into is join last lateral left like limit localtime localtimestamp match_recognize merge minute month natural next no not null nullif nulls offset on only or order ordinality outer over partition partitions preceding prepare range recursive refresh rename replace respect revoke right rollback rollup row rows schema schemas second select session set sets show some start stats table tables tablesample then ties time timestamp to trim true truncate try_cast unbounded union unnest update use using values version view when where window with within work year zone',
  types: 'boolean tinyint smallint integer int bigint real double decimal varchar char varbinary json date time timestamp interval array map row uuid ipaddress',
  identifierQuotes: '"',
  doubleDollarQuotedStrings: false,
})

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--accent-strong)', fontWeight: '550' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--warn)' },
  { tag: tags.comment, color: 'var(--faint)', fontStyle: 'italic' },
  { tag: [tags.typeName, tags.standard(tags.name)], color: 'var(--accent)' },
])

const look = EditorView.theme({
  '&': { backgroundColor: 'transparent', color: 'var(--text)', fontSize: '13px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6' },
  '.cm-content': { caretColor: 'var(--accent)', padding: '10px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)', borderLeftWidth: '2px' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--faint)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--sunken) 55%, transparent)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'color-mix(in srgb, var(--accent) 24%, transparent) !important' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', border: '1px solid var(--line)', borderRadius: '8px', boxShadow: 'var(--shadow)', overflow: 'hidden' },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: '12px' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent-soft)', color: 'var(--text)' },
  '.cm-completionDetail': { color: 'var(--faint)', fontStyle: 'normal', marginLeft: '1em' },
  '.cm-diagnostic': { padding: '6px 10px', borderLeft: '3px solid var(--bad)', fontFamily: 'var(--font)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad)', textDecorationSkipInk: 'none', textUnderlineOffset: '3px' },
  '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--text)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)' },
  '.cm-placeholder': { color: 'var(--muted)' },
})

export interface Names {
  schemas: Record<string, Record<string, string[]>> // schema -> table -> columns
  functions: { name: string; arguments: string; result: string }[]
}

export interface Mark {
  from: number
  to: number
  message: string
}

export interface EditorHandle {
  text: () => string
  selection: () => { from: number; to: number }
  insert: (text: string) => void
  focus: () => void
}

function completions(names: Names): CompletionSource[] {
  const functions: Completion[] = names.functions.map((one) => ({ label: one.name, type: 'function', detail: `(${one.arguments}) → ${one.result}`, apply: `${one.name}(` }))
  const functionSource: CompletionSource = (context) => {
    const word = context.matchBefore(/[\w$]+/)
    if (!word || (word.from === word.to && !context.explicit)) return null
    if (context.state.sliceDoc(word.from - 1, word.from) === '.') return null
    return { from: word.from, options: functions, validFor: /^\w*$/ }
  }
  return [schemaCompletionSource({ dialect: trino, schema: names.schemas }), keywordCompletionSource(trino, true), functionSource]
}

export function SqlEditor({ id, initial, names, marks, onChange, onRun, handle, label = 'SQL', hint = 'SELECT …   Ctrl-Enter runs the statement at the cursor, or what is selected' }: { id: string; initial: string; names: Names; marks: Mark[]; onChange: (text: string) => void; onRun: (all: boolean) => void; handle: (editor: EditorHandle) => void; label?: string; hint?: string }) {
  const box = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const known = useRef(new Compartment())
  const callbacks = useRef({ onChange, onRun })
  callbacks.current = { onChange, onRun }
  useEffect(() => {
    const nonce = document.querySelector<HTMLMetaElement>('meta[name=aichemy-nonce]')?.content ?? ''
    const run = (all: boolean) => () => {
      callbacks.current.onRun(all)
      return true
    }
    const editor = new EditorView({
      parent: box.current!,
      state: EditorState.create({
        doc: initial,
        extensions: [
          nonce ? EditorView.cspNonce.of(nonce) : [],
          Prec.highest(keymap.of([{ key: 'Mod-Enter', run: run(false) }, { key: 'Mod-Shift-Enter', run: run(true) }])),
          lineNumbers(),
          history(),
          drawSelection(),
          bracketMatching(),
          closeBrackets(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          lintGutter(),
          sql({ dialect: trino, upperCaseKeywords: true }),
          syntaxHighlighting(colours),
          known.current.of(autocompletion({ override: completions(names) })),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, indentWithTab]),
          placeholder(hint),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': label }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) callbacks.current.onChange(update.state.doc.toString())
          }),
          look,
        ],
      }),
    })
    view.current = editor
    handle({
      text: () => editor.state.doc.toString(),
      selection: () => ({ from: editor.state.selection.main.from, to: editor.state.selection.main.to }),
      insert: (text) => {
        editor.dispatch(editor.state.replaceSelection(text))
        editor.focus()
      },
      focus: () => editor.focus(),
    })
    editor.focus()
    return () => editor.destroy()
    // A sheet has an editor of its own: its text is only read when it opens.
    // eslint-disable-next-line
  }, [id])
  useEffect(() => {
    view.current?.dispatch({ effects: known.current.reconfigure(autocompletion({ override: completions(names) })) })
  }, [names])
  useEffect(() => {
    const editor = view.current
    if (!editor) return
    const length = editor.state.doc.length
    const list = marks.map((mark) => ({ from: Math.min(mark.from, length), to: Math.min(Math.max(mark.to, mark.from), length), severity: 'error' as const, message: mark.message }))
    editor.dispatch(setDiagnostics(editor.state, list))
  }, [marks])
  return <div ref={box} style={{ height: '100%' }} />
}
