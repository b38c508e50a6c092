// Vite takes care of these.
declare module '*.css';
