import { render } from 'preact';
import { App } from './gui/app.tsx';
import './gui/style/index.css';
import { begin } from './gui/store.ts';

/** The last part of a share link, whose address is `/s/TOKEN`. */
const token = /^\/s\/([^/]+)\/?$/.exec(location.pathname)?.[1];
const page = document.getElementById('page');

async function open(): Promise<void> {
  if (!page) return;
  if (token !== undefined) {
    const { Visit } = await import('./gui/visit/page.tsx');
    render(<Visit token={token} />, page);
    return;
  }
  render(<App />, page);
  await begin();
}

void open();
