import { Autocomplete } from "@mantine/core";
import css from "./condition.module.css";

interface Props {
  label: string;
  names: string[];
  value: string;
  /** The members inside the value, shown behind the name. */
  path?: string[];
  placeholder?: string;
  onChange: (name: string, path?: string[]) => void;
}

/** A name, completed from those that are known; others can be typed. */
export function NameField({ label, names, value, path, placeholder, onChange }: Props) {
  return (
    <>
      <Autocomplete
        size="xs"
        className={css.name}
        aria-label={label}
        placeholder={placeholder ?? label}
        data={names}
        limit={30}
        maxDropdownHeight={260}
        value={value}
        onChange={(name) => onChange(name, path)}
        autoComplete="off"
        spellCheck={false}
      />
      {path?.map((member) => (
        <code key={member} className={css.member}>
          .{member}
        </code>
      ))}
    </>
  );
}
