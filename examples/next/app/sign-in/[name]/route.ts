export async function GET(_request: Request, { params }: { params: Promise<{ name: string }> }) {
  const { name } = await params;
  const headers = { location: '/', 'set-cookie': `session=${name}; Path=/; HttpOnly; SameSite=Lax` };
  return new Response(null, { status: 303, headers });
}
