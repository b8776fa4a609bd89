import { setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { EditorView, placeholder as placeholderText } from "@codemirror/view";
import { basicSetup } from "codemirror";
import { type Ref, useEffect, useImperativeHandle, useRef } from "react";
import { look } from "./look";
import { diagnostics, type Mark, offsetOf } from "./problems";

export interface CodeEditorHandle {
  /** Puts the cursor at a line and column, both 1-based, and shows it. */
  jump: (line: number | undefined, column: number | undefined) => void;
  insert: (text: string) => void;
}

interface Props {
  value: string;
  onChange: (value: string) => void;
  /** The language and its completion. Must not change between renders without need. */
  language: Extension;
  marks?: Mark[];
  label: string;
  placeholder?: string;
  minHeight?: string;
  maxHeight?: string;
  readOnly?: boolean;
  lineNumbers?: boolean;
  handle?: Ref<CodeEditorHandle>;
}

const noLineNumbers = EditorView.theme({ ".cm-gutters": { display: "none" }, ".cm-line": { padding: "0 12px" } });

/** A text editor for code. Tab moves the focus on, as everywhere; Escape closes the suggestions. */
export function CodeEditor({ value, onChange, language, marks, label, placeholder, minHeight = "120px", maxHeight, readOnly = false, lineNumbers = true, handle }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const change = useRef(onChange);
  change.current = onChange;
  const parts = useRef({ language: new Compartment(), attributes: new Compartment() });

  useEffect(() => {
    const { language: languagePart, attributes } = parts.current;
    const made = new EditorView({
      parent: host.current!,
      state: EditorState.create({
        doc: value,
        extensions: [
          basicSetup,
          look,
          EditorView.lineWrapping,
          EditorView.theme({ ".cm-scroller": { minHeight, ...(maxHeight ? { maxHeight } : {}) }, ".cm-content": { minHeight } }),
          lineNumbers ? [] : noLineNumbers,
          placeholder ? placeholderText(placeholder) : [],
          EditorState.readOnly.of(readOnly),
          languagePart.of(language),
          attributes.of(EditorView.contentAttributes.of({ "aria-label": label })),
          EditorView.updateListener.of((u) => {
            if (u.docChanged) change.current(u.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- made once; the effects below follow the changes
  }, [readOnly]);

  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.language.reconfigure(language) });
  }, [language]);

  useEffect(() => {
    const now = view.current;
    if (now && now.state.doc.toString() !== value) now.dispatch({ changes: { from: 0, to: now.state.doc.length, insert: value } });
  }, [value]);

  const marked = JSON.stringify(marks ?? []);
  useEffect(() => {
    const now = view.current;
    if (now) now.dispatch(setDiagnostics(now.state, diagnostics(now.state.doc, JSON.parse(marked) as Mark[])));
  }, [marked]);

  useImperativeHandle(handle, () => ({
    jump: (line, column) => {
      const now = view.current;
      if (!now) return;
      const at = offsetOf(now.state.doc, line, column);
      now.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      now.focus();
    },
    insert: (text) => {
      const now = view.current;
      if (!now) return;
      now.dispatch(now.state.replaceSelection(text));
      now.focus();
    },
  }));

  return <div ref={host} className="code-editor" />;
}
