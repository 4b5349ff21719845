import { describe, expect, it } from 'vitest';
import { addMonths, civilFromDays, dayOfWeek, daysFromCivil, isoWeek } from '../../src/core/calendar.ts';
import { formatMoment, momentAt } from '../../src/core/date-time-format.ts';
import { parseDateTime } from '../../src/core/date-time-parse.ts';
import { dateTimePattern } from '../../src/core/date-time-pattern.ts';
import { timeZone } from '../../src/core/time-zone.ts';

describe('the calendar', () => {
  it('agrees with the platform on every 97th day of 1,200 years', () => {
    for (let days = -300_000; days < 140_000; days += 97) {
      const date = new Date(days * 86_400_000);
      const civil = civilFromDays(days);
      expect(civil).toEqual({
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
      });
      expect(daysFromCivil(civil.year, civil.month, civil.day)).toBe(days);
      expect(dayOfWeek(days) % 7).toBe(date.getUTCDay());
    }
  });

  it('adds months within the length of the month', () => {
    expect(addMonths(daysFromCivil(2024, 1, 31), 1)).toBe(daysFromCivil(2024, 2, 29));
    expect(addMonths(daysFromCivil(2024, 3, 31), -13)).toBe(daysFromCivil(2023, 2, 28));
  });

  it('numbers ISO weeks across the turn of the year', () => {
    expect(isoWeek(daysFromCivil(2021, 1, 3))).toEqual({ year: 2020, week: 53 });
    expect(isoWeek(daysFromCivil(2024, 12, 30))).toEqual({ year: 2025, week: 1 });
  });
});

describe('time zones', () => {
  it.each([
    [
      'America/New_York',
      '2021-03-14T02:30',
      '2021-03-14T07:30:00.000Z',
      'skipped by the clocks: later by the gap',
    ],
    ['America/New_York', '2021-11-07T01:30', '2021-11-07T05:30:00.000Z', 'shown twice: the first'],
    ['Europe/Berlin', '2020-06-01T12:00', '2020-06-01T10:00:00.000Z', 'summer'],
    ['Europe/Berlin', '2020-12-01T12:00', '2020-12-01T11:00:00.000Z', 'winter'],
    ['Asia/Kolkata', '1969-12-31T05:30', '1969-12-31T00:00:00.000Z', 'half hours'],
    ['Pacific/Apia', '2011-12-30T12:00', '2011-12-30T22:00:00.000Z', 'a whole day skipped'],
    ['UTC+2', '2020-01-01T02:00', '2020-01-01T00:00:00.000Z', 'an offset'],
    ['-03:30', '2020-01-01T00:00', '2020-01-01T03:30:00.000Z', 'an offset with minutes'],
    ['PST', '2020-07-01T00:00', '2020-07-01T07:00:00.000Z', 'an abbreviation'],
  ])('%s %s is %s (%s)', (id, local, utc) => {
    expect(new Date(timeZone(id)?.toUtc(Date.parse(`${local}Z`)) ?? Number.NaN).toISOString()).toBe(utc);
  });

  it('finds every transition that a scan by the hour finds', () => {
    const zone = timeZone('Africa/Casablanca');
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: 'Africa/Casablanca',
      hour: 'numeric',
      hourCycle: 'h23',
    });
    for (let t = Date.UTC(2018, 0, 1); t < Date.UTC(2021, 0, 1); t += 3 * 3_600_000) {
      const local = t + (zone?.offsetAt(t) ?? Number.NaN);
      expect(new Date(local).getUTCHours()).toBe(Number(format.format(t)));
    }
  });

  it.each(['Mars/Olympus', '+25:00', '', '+1:'])('refuses "%s"', id => {
    expect(timeZone(id)).toBeNull();
  });
});

describe('patterns of Java', () => {
  const at = Date.UTC(2020, 4, 11, 21, 58, 33, 123);
  it.each([
    ['yyyy-MM-dd HH:mm:ss.SSS', 'America/Los_Angeles', '2020-05-11 14:58:33.123'],
    ['EEE EEEE MMM MMMM', 'UTC', 'Mon Monday May May'],
    ['d/M/yy h a, K k', 'UTC', '11/5/20 9 PM, 9 21'],
    ['X XX XXX x xxx Z ZZZZ', 'Asia/Kolkata', '+0530 +0530 +05:30 +0530 +05:30 +0530 GMT+05:30'],
    ['X XXX x xxx Z', 'UTC', 'Z Z +00 +00:00 +0000'],
    ['z zzzz O VV', 'America/Los_Angeles', 'PDT Pacific Daylight Time GMT-7 America/Los_Angeles'],
    ['DDD Q QQQ w e G', 'UTC', '132 2 Q2 20 2 AD'],
    ["''yyyy'' 'o''clock'", 'UTC', "'2020' o'clock"],
    ['SSSSSS n', 'UTC', '123000 123000000'],
    ['ppppH', 'UTC', '  21'],
  ])('%s in %s prints %s', (pattern, zone, text) => {
    expect(formatMoment(dateTimePattern(pattern), momentAt(at, timeZone(zone)!))).toBe(text);
  });

  it.each([
    ["yyyy-MM-dd'T'HH:mm:ss", '2018-05-11T21:58:33', 17_662, 79_113_000],
    ['yyyyMMddHHmmssSSS', '20210102030405678', 18_629, 11_045_678],
    ['dd-MMM-yyyy', '01-JAN-2022', 18_993, null],
    ['MMM-yyyy', 'Jan-2022', 18_993, null],
    ['yyyy-MM-dd', '2021-06-31', 18_808, null],
    ['hh:mm a', '12:01 am', null, 60_000],
    ['yy/M/d', '21/3/4', 18_690, null],
    ['yyyy-MM-dd[ HH:mm]', '2021-06-30', 18_808, null],
    ['yyyy-MM-dd[ HH:mm]', '2021-06-30 01:00', 18_808, 3_600_000],
    ['yyyy-DDD', '2020-366', 18_627, null],
  ])('%s reads %s', (pattern, text, days, msOfDay) => {
    expect(parseDateTime(dateTimePattern(pattern), text)).toMatchObject({ days, msOfDay });
  });

  it('reads 24:00 as the next midnight and an offset as a zone', () => {
    expect(parseDateTime(dateTimePattern('HH:mmX'), '24:00+02')).toMatchObject({
      msOfDay: 0,
      extraDays: 1,
      zone: { id: '+02:00' },
    });
  });

  it.each([
    ['yyyy-MM-dd', '2021-6-30', 'character 6'],
    ['yyyy-MM-dd', '2021-06-30x', 'character 11'],
    ['yyyy-MM-dd', '2021-13-01', 'month 13'],
    ['HH:mm', '24:01', 'midnight'],
    ['yyyy-DDD', '2021-366', 'no day 366'],
    ['EEE dd MMM yyyy', 'Mon 12 May 2020', 'day of the week'],
  ])('%s refuses %s: %s', (pattern, text, problem) => {
    expect(parseDateTime(dateTimePattern(pattern), text)).toHaveProperty(
      'problem',
      expect.stringContaining(problem),
    );
  });

  it.each(['yyyy-bb', 'HHH', "yyyy'T", 'yyyy]', 'p'])('refuses the pattern %s', pattern => {
    expect(() => dateTimePattern(pattern)).toThrow(/not a date and time pattern/);
  });
});
