// Drawn for this page, on a grid of 24 with a stroke of 1.6.

const PATHS = {
  disk: 'M4 6c0-1.7 3.600-3 8-3s8 1.300 8 3-3.600 3-8 3-8-1.300-8-3v12c0 1.700 3.600 3 8 3s8-1.300 8-3V6M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3',
  group:
    'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM2.500 20c.4-3.600 3-5.500 6.500-5.500s6.100 1.900 6.500 5.500M16 4.300a3.500 3.500 0 0 1 0 6.400M18 14.900c2 .8 3.200 2.500 3.500 5.100',
  folder:
    'M3 7.500C3 6.100 4 5 5.400 5h3.800c.7 0 1.300.3 1.700.8L12 7.200h6.600c1.400 0 2.400 1 2.400 2.400v7c0 1.400-1 2.400-2.400 2.400H5.400C4 19 3 18 3 16.600V7.500Z',
  file: 'M6 5.400C6 4.100 7 3 8.400 3H13l5 5v10.600c0 1.400-1 2.400-2.400 2.400H8.400A2.400 2.400 0 0 1 6 18.600V5.400ZM13 3v5h5',
  image:
    'M4 6.400C4 5 5 4 6.400 4h11.200C19 4 20 5 20 6.400v11.200c0 1.400-1 2.400-2.400 2.400H6.400A2.400 2.400 0 0 1 4 17.600V6.400ZM4.500 17l4.700-4.700a1.500 1.500 0 0 1 2.100 0L18.500 19.500M14.500 10a1.200 1.200 0 1 0 0-2.400 1.200 1.200 0 0 0 0 2.400Z',
  text: 'M6 5.400C6 4.100 7 3 8.400 3H13l5 5v10.600c0 1.400-1 2.400-2.400 2.400H8.400A2.400 2.400 0 0 1 6 18.600V5.400ZM13 3v5h5M9 12.500h6M9 16h4',
  sound:
    'M9 18V6l9-2v12M9 18a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0ZM18 16a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0Z',
  film: 'M4 6.400C4 5 5 4 6.400 4h11.200C19 4 20 5 20 6.400v11.200c0 1.400-1 2.400-2.400 2.400H6.400A2.400 2.400 0 0 1 4 17.600V6.400ZM10 9v6l5-3-5-3Z',
  archive:
    'M4 5.200C4 4.500 4.500 4 5.200 4h13.600c.7 0 1.200.5 1.200 1.200V8H4V5.200ZM5 8v10c0 1.100.9 2 2 2h10a2 2 0 0 0 2-2V8M10 12h4',
  upload:
    'M12 16V4.500M7.500 9 12 4.500 16.500 9M4 16.500v1.100C4 19 5 20 6.400 20h11.200c1.400 0 2.400-1 2.400-2.400v-1.100',
  download:
    'M12 4v11.500M7.500 11l4.500 4.500 4.500-4.500M4 16.500v1.100C4 19 5 20 6.400 20h11.200c1.400 0 2.400-1 2.400-2.400v-1.100',
  'new-folder':
    'M3 7.500C3 6.100 4 5 5.400 5h3.800c.7 0 1.300.3 1.700.8L12 7.200h6.600c1.400 0 2.400 1 2.400 2.400v7c0 1.400-1 2.400-2.400 2.400H5.400C4 19 3 18 3 16.600V7.500ZM12 10.500v5M9.500 13h5',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  close: 'M6.500 6.500l11 11M17.500 6.500l-11 11',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  alert:
    'M12 8v5M12 16.300v.1M10.300 4.300 3 17a2 2 0 0 0 1.700 3h14.600a2 2 0 0 0 1.700-3L13.700 4.300a2 2 0 0 0-3.400 0Z',
  plus: 'M12 5v14M5 12h14',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM20 20l-4-4',
  menu: 'M4 7h16M4 12h16M4 17h16',
  chevron: 'M9.500 6l6 6-6 6',
  down: 'M6 9.500l6 6 6-6',
  up: 'M6 14.500l6-6 6 6',
  pause: 'M9 5.500v13M15 5.500v13',
  play: 'M8 5.500v13l10.500-6.500L8 5.500Z',
  retry: 'M5 12a7 7 0 1 1 2.200 5.100M5 18v-4.500h4.500',
  trash:
    'M4.500 7h15M9.500 7V4.500h5V7M6.500 7l.9 11.200c.1 1 .9 1.800 2 1.800h5.200c1.100 0 1.900-.8 2-1.800L17.500 7M10 11v5M14 11v5',
  edit: 'M4 20l.9-4.100L15.600 5.200a2 2 0 0 1 2.800 0l.4.4a2 2 0 0 1 0 2.800L8.100 19.100 4 20ZM13.500 7.500l3 3',
  move: 'M4 12h15M13.500 6.500 19 12l-5.500 5.500',
  copy: 'M9 9.400C9 8 10 7 11.400 7h6.200C19 7 20 8 20 9.400v8.200c0 1.400-1 2.400-2.400 2.400h-6.200A2.400 2.400 0 0 1 9 17.600V9.400ZM15 7V6.400C15 5 14 4 12.600 4H6.400C5 4 4 5 4 6.400v8.200C4 16 5 17 6.400 17H9',
  leave: 'M14 4H7.400C6 4 5 5 5 6.400v11.200C5 19 6 20 7.400 20H14M10 12h10M16.500 8.500 20 12l-3.500 3.500',
  eye: 'M2.500 12c2.100-4 5.300-6 9.500-6s7.400 2 9.500 6c-2.100 4-5.300 6-9.500 6s-7.400-2-9.500-6ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z',
  globe:
    'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3 12h18M12 3c2.600 2.600 3.800 5.600 3.800 9s-1.200 6.400-3.800 9c-2.600-2.600-3.800-5.600-3.800-9S9.400 5.600 12 3Z',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5.300l3.300 2',
} as const;

export type IconName = keyof typeof PATHS;

/** A picture beside words; it says nothing of its own. */
export function Icon({ name, class: given = '' }: { name: IconName; class?: string }) {
  return (
    <svg class={`icon icon-${name} ${given}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

const BY_ENDING: Record<string, IconName> = {};
const KINDS: [IconName, string][] = [
  ['image', 'png jpg jpeg gif webp avif svg heic bmp tif tiff'],
  [
    'text',
    'txt md log csv json yaml yml toml rs go py c h sh ts js css html htm xml doc docx odt hwp hwpx pdf rtf',
  ],
  ['sound', 'mp3 ogg opus flac wav m4a'],
  ['film', 'mp4 m4v webm mov mkv avi'],
  ['archive', 'zip gz tgz xz bz2 zst tar 7z rar deb'],
];
for (const [icon, endings] of KINDS) for (const ending of endings.split(' ')) BY_ENDING[ending] = icon;

export function iconOf(name: string, kind: 'file' | 'directory'): IconName {
  if (kind === 'directory') return 'folder';
  return BY_ENDING[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ?? 'file';
}
