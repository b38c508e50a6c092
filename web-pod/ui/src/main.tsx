import { render } from 'preact';
import { App } from './gui/app.tsx';
import './gui/style/index.css';
import { begin } from './gui/store.ts';

const page = document.getElementById('page');
if (page) render(<App />, page);
void begin();
