import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkHost, isPublicAddress } from './public-address.ts';

test('isPublicAddress() is true for public addresses only, however they are written', () => {
  for (const address of ['93.184.216.34', '8.8.8.8', '2606:4700::1111', '[2a00:1450::200e]']) {
    assert.equal(isPublicAddress(address), true, address);
  }
  const private_ =
    '127.0.0.1 127.1 2130706433 0x7f.1 0.0.0.0 10.1.2.3 172.31.0.1 192.168.1.1 169.254.169.254 ' +
    '100.64.0.1 192.0.2.1 198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255 ::1 :: fe80::1 ' +
    'fe80::1%eth0 168.63.129.16 ::7f00:1 ::169.254.169.254 64:ff9b:1::a00:1 192.0.0.192 ' +
    'fc00::1 ff02::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8.8 64:ff9b::7f00:1 2002:7f00:1:: 2001:db8::1 x';
  for (const address of private_.split(' ')) {
    assert.equal(isPublicAddress(address), false, address);
  }
});

test('checkHost() goes by the list, and refuses private addresses by name', () => {
  const policy = { allowHosts: ['example.com', '*.example.org'], allowPrivate: false };
  for (const host of ['example.com', 'EXAMPLE.com.', 'a.example.org', 'a.b.example.org']) {
    assert.doesNotThrow(() => checkHost(host, policy), host);
  }
  for (const host of [
    'example.org',
    'notexample.com',
    'example.com.evil.net',
    'evil-example.org',
  ]) {
    assert.throws(() => checkHost(host, policy), { code: 'LAKE_LOCATION' }, host);
  }
  const all = { allowHosts: ['*'], allowPrivate: false };
  assert.throws(() => checkHost('127.0.0.1', all), { code: 'LAKE_LOCATION' });
  assert.doesNotThrow(() => checkHost('127.0.0.1', { ...all, allowPrivate: true }));
});
