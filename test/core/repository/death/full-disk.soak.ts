import { testFullDisks } from './full-disk.ts';

testFullDisks('all');
