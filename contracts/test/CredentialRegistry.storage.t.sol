// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";

import {ICredentialRegistry, SCOPE_ANCHOR, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {vm} from "./Vm.sol";
import {Consent} from "./support/Consent.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Slots} from "./support/Slots.sol";

/// @title The storage words that state proofs carry, bit by bit
/// @dev Written by the calls themselves, each member with another value.
contract StorageTest is RegistryTest {
    // Private keys of STATUS keys of the epochs 2 and 3.
    uint256 private constant _SECOND_PK = 0x5002;
    uint256 private constant _THIRD_PK = 0x5003;

    /* ISSUERS */

    function test_storage_issuer() public {
        uint256 slot = Slots.issuer(ISSUER);
        uint256 expected = uint256(uint160(controller)) | (uint256(START) << 160);
        vm.assertEq(_read(slot), expected);
        _withdraw(ISSUER, START + 99);
        expected |= uint256(START + 99) << 200;
        vm.assertEq(_read(slot), expected);
        _moveToEpochThree();
        expected |= uint256(3) << 240;
        vm.assertEq(_read(slot), expected);
        _assertRestOfIssuer();
        _handOver(stranger);
        expected = (expected >> 160 << 160) | uint160(stranger);
        vm.assertEq(_read(slot), expected);
        _assertRestOfIssuer();
        _audit();
    }

    function test_fuzz_storage_issuer(uint40 withdrawnAt, address heir) public {
        vm.assume(withdrawnAt > START && heir != controller && heir != address(0));
        _withdraw(ISSUER, withdrawnAt);
        _handOver(heir);
        uint256 expected = uint256(uint160(heir)) | (uint256(START) << 160) | (uint256(withdrawnAt) << 200);
        vm.assertEq(_read(Slots.issuer(ISSUER)), expected);
    }

    function test_storage_issuerIsZeroForNone() public view {
        uint32[2] memory none = [uint32(0), 3];
        for (uint256 i = 0; i < none.length; ++i) {
            for (uint256 offset = 0; offset < 3; ++offset) {
                vm.assertEq(_read(Slots.issuer(none[i]) + offset), 0);
            }
        }
    }

    /// `Next`: who was offered control, and the status epoch to come; nothing until either is set.
    function test_storage_next() public {
        uint256 slot = Slots.next(ISSUER);
        vm.assertEq(_read(slot), 0);
        vm.prank(controller);
        registry.transferController(ISSUER, stranger);
        vm.assertEq(_read(slot), uint160(stranger));
        _moveToEpochThree();
        vm.assertEq(_read(slot), uint256(uint160(stranger)) | (uint256(4) << 160));
        vm.assertEq(registry.pendingControllerOf(ISSUER), stranger);
        vm.assertEq(registry.nextStatusEpochOf(ISSUER), 4);
        vm.prank(stranger);
        registry.acceptController(ISSUER);
        vm.assertEq(_read(slot), uint256(4) << 160);
        vm.assertEq(_read(Slots.next(OTHER_ISSUER)), 0);
        _audit();
    }

    function test_storage_nextOfLastEpochs() public {
        Slots.setStatusEpochs(address(registry), ISSUER, 0xfffe, 0xffff);
        vm.assertEq(_read(Slots.issuer(ISSUER)) >> 240, 0xfffe);
        vm.assertEq(_read(Slots.next(ISSUER)), uint256(0xffff) << 160);
        vm.assertEq(registry.issuerOf(ISSUER).statusEpoch, 0xfffe);
        vm.assertEq(registry.nextStatusEpochOf(ISSUER), 0xffff);
        vm.assertEq(registry.pendingControllerOf(ISSUER), address(0));
    }

    /* REGISTRY */

    function test_storage_registry() public {
        vm.assertEq(_read(Slots.REGISTRY_HEAD), uint256(registry.registryHead()));
        vm.assertEq(_read(Slots.ISSUER_COUNT), 2);
        bytes32 slot = keccak256(abi.encode(keccak256(bytes(OTHER_DID)), Slots.ISSUER_OF_DID));
        vm.assertEq(_read(uint256(slot)), OTHER_ISSUER);
        _withdraw(ISSUER, 0);
        vm.assertEq(_read(Slots.REGISTRY_HEAD), uint256(registry.registryHead()));
        _accredit("did:web:third.example", stranger);
        vm.assertEq(_read(Slots.REGISTRY_HEAD), uint256(registry.registryHead()));
        vm.assertEq(_read(Slots.ISSUER_COUNT), 3);
        _audit();
    }

    function test_storage_roles() public {
        IAccessControlDefaultAdminRules roles = IAccessControlDefaultAdminRules(address(registry));
        bytes32 role = registry.ACCREDITOR_ROLE();
        vm.assertEq(_read(Slots.role(role, accreditor)), 1);
        vm.assertEq(_read(Slots.role(0, admin)), 1);
        vm.assertEq(_read(Slots.role(role, stranger)), 0);
        vm.prank(admin);
        IAccessControl(address(registry)).grantRole(role, stranger);
        vm.assertEq(_read(Slots.role(role, stranger)), 1);
        vm.assertEq(_read(Slots.ADMIN), uint160(admin));
        vm.assertEq(_read(Slots.PENDING_ADMIN), uint256(1 days) << 208);
        vm.prank(admin);
        roles.beginDefaultAdminTransfer(stranger);
        vm.prank(admin);
        roles.changeDefaultAdminDelay(2 days);
        uint256 pending = uint256(uint160(stranger)) | (uint256(START + 1 days) << 160) | (uint256(1 days) << 208);
        vm.assertEq(_read(Slots.PENDING_ADMIN), pending);
        uint256 current = uint256(uint160(admin)) | (uint256(2 days) << 160) | (uint256(START + 2 days) << 208);
        vm.assertEq(_read(Slots.ADMIN), current);
        _audit();
    }

    /* KEYS */

    function test_storage_key() public {
        Consent memory consent = _consent(OTHER_ISSUER, newKey, SCOPE_STATUS, 1);
        consent.validFrom = START + 11;
        _addKey(otherController, consent, NEW_PK);
        uint256 slot = Slots.key(newKey);
        uint256 expected =
            uint256(OTHER_ISSUER) | (uint256(START + 11) << 32) | (uint256(SCOPE_STATUS) << 152) | (uint256(1) << 160);
        vm.assertEq(_read(slot), expected);
        vm.warp(START + 32);
        _retireKey(otherController, newKey);
        expected |= uint256(START + 33) << 72;
        vm.assertEq(_read(slot), expected);
        _compromiseKey(otherController, newKey, START + 22);
        expected |= uint256(START + 22) << 112;
        vm.assertEq(_read(slot), expected);
        ICredentialRegistry.Key memory record = registry.keyOf(newKey);
        vm.assertEq(record.issuer, OTHER_ISSUER);
        vm.assertEq(record.validFrom, START + 11);
        vm.assertEq(record.validUntil, START + 33);
        vm.assertEq(record.compromisedAt, START + 22);
        vm.assertEq(record.scope, SCOPE_STATUS);
        vm.assertEq(record.statusEpoch, 1);
        _audit();
    }

    /// The largest values that a member can hold spill into no other.
    function test_storage_keyOfLastEpochAndTime() public {
        Slots.setStatusEpochs(address(registry), ISSUER, 0xfffe, 0xffff);
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_STATUS, 0xffff);
        consent.validFrom = type(uint40).max;
        _addKey(controller, consent, NEW_PK);
        uint256 expected = uint256(ISSUER) | (uint256(type(uint40).max) << 32) | (uint256(SCOPE_STATUS) << 152)
            | (uint256(0xffff) << 160);
        vm.assertEq(_read(Slots.key(newKey)), expected);
    }

    function test_storage_anchorKey() public view {
        uint256 expected = uint256(ISSUER) | (uint256(START) << 32) | (uint256(SCOPE_ANCHOR) << 152);
        vm.assertEq(_read(Slots.key(anchorKey)), expected);
        vm.assertEq(_read(Slots.key(newKey)), 0);
    }

    function test_storage_nonce() public {
        uint256 slot = Slots.nonce(statusKey);
        vm.assertEq(_read(slot), 0);
        vm.prank(controller);
        registry.cancelNonces(statusKey, 1000);
        vm.assertEq(_read(slot), 1000);
        vm.prank(statusKey);
        registry.suspend(ISSUER, 0, _words(0), _masks(1), 1);
        vm.assertEq(_read(slot), 1001);
        vm.assertEq(registry.nonceOf(statusKey), 1001);
        vm.assertEq(_read(Slots.nonce(otherStatusKey)), 0);
        _audit();
    }

    /* BATCHES */

    function test_storage_batch() public {
        vm.warp(START + 5);
        _anchor(anchorKey, ISSUER, ROOT, 1000);
        uint256 slot = Slots.batch(ISSUER, ROOT);
        uint256 expected = uint256(uint160(anchorKey)) | (uint256(START + 5) << 160) | (uint256(1000) << 200);
        vm.assertEq(_read(slot), expected);
        address third = _moveToEpochThree();
        vm.prank(third);
        registry.revokeBatch(ISSUER, ROOT, 7);
        expected |= (uint256(7) << 232) | (uint256(3) << 240);
        vm.assertEq(_read(slot), expected);
        ICredentialRegistry.Batch memory record = registry.batchOf(ISSUER, ROOT);
        vm.assertEq(record.key, anchorKey);
        vm.assertEq(record.anchoredAt, START + 5);
        vm.assertEq(record.size, 1000);
        vm.assertEq(record.revokedReason, 7);
        vm.assertEq(record.revokedEpoch, 3);
        vm.assertEq(_read(Slots.batch(OTHER_ISSUER, ROOT)), 0);
        _audit();
    }

    function test_storage_largestBatch() public {
        _anchor(anchorKey, ISSUER, bytes32(type(uint256).max), type(uint32).max);
        uint256 expected = uint256(uint160(anchorKey)) | (uint256(START) << 160) | (uint256(type(uint32).max) << 200);
        vm.assertEq(_read(Slots.batch(ISSUER, bytes32(type(uint256).max))), expected);
    }

    /* STATUS */

    function test_storage_statusWords() public {
        vm.prank(otherStatusKey);
        registry.revoke(OTHER_ISSUER, 5, _words(369), _masks(1 << 103), 1);
        vm.prank(otherStatusKey);
        registry.suspend(OTHER_ISSUER, 5, _words(369), _masks(6), 1);
        vm.assertEq(_read(Slots.word(Slots.REVOKED, OTHER_ISSUER, 0, 5, 369)), 1 << 103);
        vm.assertEq(_read(Slots.word(Slots.SUSPENDED, OTHER_ISSUER, 0, 5, 369)), 6);
        _audit();
    }

    /// Each of issuer, epoch, list and word has a place of its own.
    function test_storage_statusWordsOfAnotherEpoch() public {
        address third = _moveToEpochThree();
        vm.prank(third);
        registry.revoke(ISSUER, type(uint32).max, _words(511), _masks(type(uint256).max), 1);
        vm.assertEq(_read(Slots.word(Slots.REVOKED, ISSUER, 3, type(uint32).max, 511)), type(uint256).max);
        vm.assertEq(_read(Slots.word(Slots.REVOKED, ISSUER, 0, type(uint32).max, 511)), 0);
        vm.assertEq(_read(Slots.word(Slots.REVOKED, OTHER_ISSUER, 3, type(uint32).max, 511)), 0);
        vm.assertEq(_read(Slots.word(Slots.SUSPENDED, ISSUER, 3, type(uint32).max, 511)), 0);
        _audit();
    }

    /* HELPERS */

    /// @dev Skips epoch 1, whose bits and the ones of 0 and 2 then never count again. Returns a key of epoch 3.
    function _moveToEpochThree() private returns (address third) {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 1), NEW_PK);
        _compromiseKey(controller, newKey, _now());
        _addKey(controller, _consent(ISSUER, vm.addr(_SECOND_PK), SCOPE_STATUS, 2), _SECOND_PK);
        _compromiseKey(controller, statusKey, _now());
        third = vm.addr(_THIRD_PK);
        _addKey(controller, _consent(ISSUER, third, SCOPE_STATUS, 3), _THIRD_PK);
        _compromiseKey(controller, vm.addr(_SECOND_PK), _now());
    }

    function _handOver(address heir) private {
        vm.prank(controller);
        registry.transferController(ISSUER, heir);
        vm.prank(heir);
        registry.acceptController(ISSUER);
    }

    function _assertRestOfIssuer() private view {
        uint256 slot = Slots.issuer(ISSUER);
        vm.assertEq(_read(slot + 1), uint256(keccak256(bytes(DID))));
        vm.assertEq(_read(slot + 2), uint256(_headOf(ISSUER)));
        vm.assertEq(registry.issuerOf(ISSUER).withdrawnAt, START + 99);
        vm.assertEq(registry.issuerOf(ISSUER).statusEpoch, 3);
    }

    function _read(uint256 slot) private view returns (uint256) {
        return Slots.read(address(registry), slot);
    }
}
