/** What simulated people are called and what they say. */
import type { Chance } from './chance.ts';

const firstNames =
  'Ada Amara Anders Anjali Aoife Arjun Astrid Ayşe Beatriz Bilal Bogdan Camille Carlos Chidi Chloé Daan Dalia Dmitri Ebele Elena Emeka Emil Esra Farah Felix Fumiko Gabriel Giulia Grace Hana Hassan Henrik Ines Isla Ivan Jamal Jana João Jonas Juana Kaito Karim Kasia Kofi Lars Leila Lin Lucía Luka Mai Malik Marek Mateo Mei Mina Mira Nadia Ngozi Nils Noor Olga Omar Oskar Paula Pilar Priya Rafael Ravi Rosa Ruben Sakura Samir Sanna Sofia Stefan Tamar Tariq Teresa Thabo Theo Uma Viktor Wei Yara Yusuf Zoë'.split(
    ' ',
  );
const lastNames =
  'Abebe Achterberg Adeyemi Andersson Bauer Bianchi Bjørnson Brown Castillo Chen Costa Dahl Diallo Dubois Eriksen Farouk Fernández Fischer Fofana Garcia Haddad Hansen Hoang Horváth Ibrahim Ito Ivanova Jansen Jensen Kaya Khan Kim Kowalski Kumar Lefèvre Li Lindqvist López Mbeki Mehta Meyer Mori Moreau Müller Nakamura Nguyen Novák O’Brien Okafor Oliveira Park Patel Peeters Petrov Popescu Rahman Ricci Rossi Ruiz Saito Santos Schmidt Silva Singh Smit Sørensen Suzuki Tanaka Taylor Torres Tran Varga Virtanen Walker Weber Williams Yılmaz Zhang'.split(
    ' ',
  );
const titles = [
  'Sourdough for beginners',
  'Drawing faces in twenty minutes a day',
  'Your first garden in boxes',
  'Reading a balance sheet without fear',
  'Mending clothes by hand',
  'Bird song: who sings at five in the morning?',
  'From notes to a first draft',
  'Photographs in bad light',
];
export const places =
  'Lisbon Oslo Lagos Bogotá Kraków Hanoi Nairobi Athens Montréal Leeds Pune Osaka Tartu Tbilisi'.split(' ');

const greetings = [
  'Hello everyone!',
  'hi all 👋',
  'Good morning',
  'Hi from {place}!',
  'Greetings from {place}, it is raining here',
  'hey, first time here',
  'Hello! Sound is fine on my side',
  'hi, can somebody hear anything yet?',
  'Glad this is happening again',
];
const short = [
  '+1',
  'yes',
  'no',
  'same here',
  '😂',
  '👏👏👏',
  'good question',
  'oh!',
  'makes sense',
  'me too',
  '…wow',
  'true',
];
const remarks = [
  'I tried that last week and it worked better than I expected.',
  'For me the second way is easier, the first one takes too much time.',
  'Could you show that step again, a little slower?',
  'Is there a list of what you use? I did not catch the names.',
  'The picture froze for a moment here, but it is back.',
  'I have done it wrong for years, apparently.',
  'What happens if you leave that part out?',
  'We do it the other way round in {place}.',
  'Where can I find the slides afterwards?',
  'Does that also work with less time?',
  'My grandmother used to say the same.',
  'It depends on the season, I would say.',
  'I wrote that down. Thank you!',
  'How long did it take you to learn this?',
  'The link does not open for me, is it only me?',
  'That is exactly the problem that I had.',
  'Can you make the text a bit larger please?',
  'I would like to hear more about the first part.',
];
/** What a host asks into the room, and what comes back. */
const rounds = [
  {
    question: 'How often do you do this at home?',
    answers: ['twice a week', 'never, honestly', 'every day', 'Only on weekends, when there is time for it.'],
  },
  {
    question: 'Who has tried it? Tell us how it went.',
    answers: [
      'I did!',
      'badly 😅',
      'Better the second time, as you said.',
      'no idea yet, that is why I am here',
    ],
  },
  {
    question: 'Which of the two would you take, and why?',
    answers: [
      'the first one',
      'the second',
      'second, it looks easier',
      'First. The other one takes too long.',
    ],
  },
  {
    question: 'How long does it take you?',
    answers: ['about ten minutes', 'an hour at least', 'too long…', 'half an hour, with a break'],
  },
  {
    question: 'Any questions so far? Raise your hand or write here.',
    answers: [
      'Could you say again what comes first?',
      'not yet',
      'all clear',
      'Yes: what if it does not work the first time?',
    ],
  },
];
const thanks = [
  'Thank you!',
  'thanks, that was great',
  'Thanks a lot, see you next time 👋',
  'thank you all, bye',
  'Wonderful hour, thank you so much for the patience with our questions!',
  'bye everyone',
  '👏',
];
const heckles = [
  'BORING',
  'when does this start to be interesting??',
  'my cat explains this better',
  'waste of time, everybody go home',
  'lol who hired this host',
  'BORING BORING BORING',
];
const slips = ['wrong windwo, sorry', 'is tihs on?', 'ok so the password is', 'mum I am in a meeting'];

export interface Words {
  name(): string;
  title(): string;
  greeting(): string;
  /** What someone says in passing: mostly a word, mostly a sentence, seldom a page. */
  remark(): string;
  /** A question, and what may be answered to it. */
  round(): { question: string; answer(): string };
  thanks(): string;
  heckle(): string;
  /** Something that its author takes back. */
  slip(): string;
}

/** How long pasted texts may become, in characters; a message holds 1,000. */
const longest = 900;

export function words(chance: Chance): Words {
  const filled = (text: string) => text.replace('{place}', () => chance.of(places));
  const sentence = () => filled(chance.of(remarks));

  function sentences(count: number): string {
    let text = sentence();
    for (let n = 1; n < count && text.length < longest - 100; n++) text += ` ${sentence()}`;
    return text;
  }

  return {
    name: () => `${chance.of(firstNames)} ${chance.of(lastNames)}`,
    title: () => chance.of(titles),
    greeting: () => filled(chance.of(greetings)),
    remark() {
      const kind = chance.next();
      if (kind < 0.35) return chance.of(short);
      if (kind < 0.85) return sentence();
      return kind < 0.985 ? sentences(chance.whole(2, 4)) : sentences(chance.whole(8, 14));
    },
    round() {
      const { question, answers } = chance.of(rounds);
      return { question, answer: () => chance.of(answers) };
    },
    thanks: () => chance.of(thanks),
    heckle: () => chance.of(heckles),
    slip: () => chance.of(slips),
  };
}
