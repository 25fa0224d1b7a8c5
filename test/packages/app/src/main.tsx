import { createRoot } from 'react-dom/client';
import { Room } from './Room';

const { searchParams } = new URL(location.href);
const root = document.getElementById('root');
if (root !== null)
  createRoot(root).render(
    <Room workshopId={Number(searchParams.get('workshop'))} token={searchParams.get('token') ?? ''} />,
  );
