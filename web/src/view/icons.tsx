// The page's drawings. One weight of line, one size of field (20), the colour of the text around them. They are
// decoration: what a control does is in its label.
import type { ComponentChildren, JSX } from 'preact';

function Icon({ children }: { children: ComponentChildren }): JSX.Element {
  return (
    <svg
      class="icon"
      viewBox="0 0 20 20"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

const drawn = (path: string) => (): JSX.Element => (
  <Icon>
    <path d={path} />
  </Icon>
);

export const MenuIcon = drawn('M3.5 6h13M3.5 10h13M3.5 14h8');
export const CloseIcon = drawn('M5 5l10 10M15 5L5 15');
export const PlusIcon = drawn('M10 4v12M4 10h12');
export const SendIcon = drawn('M10 16V4M5 9l5-5 5 5');
export const StopIcon = (): JSX.Element => (
  <Icon>
    <rect x="5.5" y="5.5" width="9" height="9" rx="1.5" fill="currentColor" stroke="none" />
  </Icon>
);
export const CopyIcon = drawn(
  'M7 7V4.5A1.5 1.5 0 018.500 3h7A1.500 1.500 0 0117 4.500v7a1.500 1.500 0 01-1.500 1.500H13M4.500 7h7A1.500 1.500 0 0113 8.500v7a1.500 1.500 0 01-1.500 1.500h-7A1.500 1.500 0 013 15.500v-7A1.500 1.500 0 014.500 7z',
);
export const DoneIcon = drawn('M4 10.500l4 4 8-9');
export const EditIcon = drawn('M12.500 4.500l3 3L7 16l-3.500.500L4 13zM11 6l3 3');
export const AgainIcon = drawn('M16 10a6 6 0 11-1.800-4.300M16 3v3.500h-3.500');
export const GoOnIcon = drawn('M4 10h11M11 5.500l4.500 4.500-4.500 4.500');
export const PreviousIcon = drawn('M12 5l-5 5 5 5');
export const NextIcon = drawn('M8 5l5 5-5 5');
export const DownIcon = drawn('M10 4v12M5 11l5 5 5-5');
export const DeleteIcon = drawn('M4 6h12M8 6V4h4v2M6 6l.700 10h6.600L14 6M8.500 9v4.500M11.500 9v4.500');
export const MoreIcon = (): JSX.Element => (
  <Icon>
    {[5, 10, 15].map((x) => (
      <circle key={x} cx={x} cy="10" r="1.300" fill="currentColor" stroke="none" />
    ))}
  </Icon>
);
export const AttachIcon = drawn(
  'M15.500 9.500l-5.800 5.800a3.500 3.500 0 01-5-5l6.300-6.300a2.300 2.300 0 013.300 3.300l-6 6a1.100 1.100 0 01-1.600-1.600l5.300-5.300',
);
export const FileIcon = drawn('M5.500 3h6l3.500 3.500V17h-9.500zM11.500 3v3.500H15');
export const ThinkIcon = drawn('M10 3a5 5 0 00-3 9v2h6v-2a5 5 0 00-3-9zM8 17h4');
export const ToolIcon = drawn(
  'M12.500 3.500a4 4 0 00-3.700 5.500L3.500 14.300 5.700 16.500l5.300-5.300a4 4 0 005.200-5L13.800 8.600 11.400 6.200 13.800 3.700z',
);
export const MachineIcon = drawn('M3 11h3l2-5 3 9 2.500-6 1 2H17');
export const SettingsIcon = drawn('M4 6h7M15 6h1M4 14h1M9 14h7M13 4v4M7 12v4');
export const SearchIcon = drawn('M9 4a5 5 0 100 10A5 5 0 009 4zM13 13l3.500 3.500');
export const ArrowIcon = drawn('M6 8l4 4 4-4');

// The mark: an inkstone from above, its well like a new moon, and a seal's red.
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
      <rect class="mark-stone" x="4" y="3" width="24" height="26" rx="7" />
      <path class="mark-pool" d="M7 15.500a9 9 0 0118 0 10.200 10.200 0 00-18 0z" />
      <circle class="mark-seal" cx="16" cy="19" r="4" />
    </svg>
  );
}
